package server

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// slow is a batcher whose calls take a second each, and the batches that it made.
func slow(limit int) (*batcher[int, int], *[][]int) {
	var calls [][]int
	return &batcher[int, int]{
		weigh: func(n int) int { return n },
		limit: limit,
		do: func(items []int) []int {
			calls = append(calls, slices.Clone(items))
			pass(time.Second)
			answers := make([]int, len(items))
			for i, n := range items {
				answers[i] = -n
			}
			return answers
		},
	}, &calls
}

func TestBatcherGathersWhileACallIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, calls := slow(100)
		for n := 1; n <= 5; n++ {
			go func() {
				if got, err := b.Do(context.Background(), n); got != -n || err != nil {
					t.Errorf("item %d: got %d, error %v", n, got, err)
				}
			}()
			synctest.Wait()
		}
		pass(3 * time.Second)
		synctest.Wait()
		if want := [][]int{{1}, {2, 3, 4, 5}}; !slices.EqualFunc(*calls, want, slices.Equal) {
			t.Errorf("calls: got %v, want %v", *calls, want)
		}
		begun := time.Now()
		if _, err := b.Do(context.Background(), 6); err != nil || time.Since(begun) != time.Second {
			t.Errorf("a lone item took %v, error %v; want its own call and nothing else", time.Since(begun), err)
		}
	})
}

func TestBatcherHoldsItsLimit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, calls := slow(10)
		for _, n := range []int{1, 4, 5, 2, 30, 3} {
			go b.Do(context.Background(), n)
			synctest.Wait()
		}
		pass(time.Minute)
		if want := [][]int{{1}, {4, 5}, {2}, {30}, {3}}; !slices.EqualFunc(*calls, want, slices.Equal) {
			t.Errorf("calls: got %v, want %v", *calls, want)
		}
	})
}

func TestP6BatcherCancelledCallerLeavesTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, calls := slow(100)
		go b.Do(context.Background(), 1)
		synctest.Wait()
		ctx, cancel := context.WithCancel(context.Background())
		gone := make(chan error, 1)
		go func() {
			_, err := b.Do(ctx, 2)
			gone <- err
		}()
		stayed := make(chan int, 1)
		go func() {
			got, _ := b.Do(context.Background(), 3)
			stayed <- got
		}()
		synctest.Wait()
		cancel()
		begun := time.Now()
		if err := <-gone; !errors.Is(err, context.Canceled) || time.Since(begun) != 0 {
			t.Errorf("cancelled caller: got error %v after %v", err, time.Since(begun))
		}
		if got := <-stayed; got != -3 {
			t.Errorf("the other caller: got %d", got)
		}
		if _, err := b.Do(ctx, 4); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled before: got error %v", err)
		}
		for _, call := range *calls {
			if slices.Contains(call, 4) {
				t.Error("an item whose caller was gone before was done")
			}
		}
	})
}
