package cron_test

import (
	"fmt"
	"time"
	_ "time/tzdata"

	"github.com/rotaqueue/rota/cron"
)

func ExampleSchedule_Next() {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		fmt.Println(err)
		return
	}
	nightly, err := cron.Parse("30 2 * * *")
	if err != nil {
		fmt.Println(err)
		return
	}
	// In the night to 8 March 2026 the clock goes from 02:00 to 03:00.
	due := time.Date(2026, time.March, 6, 12, 0, 0, 0, newYork)
	for range 3 {
		due = nightly.Next(due)
		fmt.Println(due)
	}
	// Output:
	// 2026-03-07 02:30:00 -0500 EST
	// 2026-03-08 03:00:00 -0400 EDT
	// 2026-03-09 02:30:00 -0400 EDT
}

func ExampleParse() {
	for _, text := range []string{"*/15 9-17 * * mon-fri", "@weekly", "61 * * * *", "0 22-2 * * *"} {
		s, err := cron.Parse(text)
		if err != nil {
			fmt.Println(err)
			continue
		}
		fmt.Println(s)
	}
	// Output:
	// */15 9-17 * * 1-5
	// 0 0 * * 0
	// minute "61": outside 0-59
	// hour "22-2": the range runs backwards; write it as two: 22-23,0-2
}
