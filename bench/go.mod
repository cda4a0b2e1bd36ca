module github.com/rotaqueue/rota/bench

go 1.26.0
