package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"

	"github.com/rotaqueue/rota"
)

// kinds are the kinds of error: on the wire, as exit code, and as the code explains them.
func kinds() (string, error) {
	meaning, err := meanings("../../error.go")
	if err != nil {
		return "", err
	}
	var rows [][]string
	for _, k := range rota.Kinds {
		means := meaning[k.Err.Error()]
		if means == "" {
			return "", fmt.Errorf("the kind %s has no comment in error.go", k.Name)
		}
		rows = append(rows, []string{"`" + k.Name + "`", strconv.Itoa(k.Status), strconv.Itoa(k.Exit), means})
	}
	return table([]string{"kind", "HTTP status", "exit code", ""}, rows), nil
}

// meanings are the comments of the kinds in a file, by the text of their errors.
func meanings(file string) (map[string]string, error) {
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		call, ok := spec.Values[0].(*ast.CallExpr)
		if !ok || len(call.Args) != 1 {
			return true
		}
		if lit, ok := call.Args[0].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, _ := strconv.Unquote(lit.Value)
			found[text] = strings.TrimSpace(spec.Comment.Text())
		}
		return true
	})
	return found, nil
}
