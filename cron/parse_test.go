package cron

import (
	"strconv"
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, expr, canonical string }{
		{"all stars", "* * * * *", "* * * * *"},
		{"numbers", "5 4 3 2 1", "5 4 3 2 1"},
		{"leading zeros", "05 004 03 02 01", "5 4 3 2 1"},
		{"spaces and tabs around", "  5\t4  * * *\n", "5 4 * * *"},
		{"step on a star", "*/5 */2 * * *", "*/5 */2 * * *"},
		{"step of one is a star", "*/1 */1 */1 */1 */1", "* * * * *"},
		{"step as large as the field", "*/60 */24 * */12 *", "0 0 * 1 *"},
		{"step on a range", "10-50/7 * * * *", "10-45/7 * * * *"},
		{"step past the end of its range", "10-20/30 * * * *", "10 * * * *"},
		{"range", "10-12 * * * *", "10-12 * * * *"},
		{"range of one", "7-7 * * * *", "7 * * * *"},
		{"range of two", "7-8 * * * *", "7,8 * * * *"},
		{"whole range is a star", "0-59 0-23 * 1-12 *", "* * * * *"},
		{"list in any order with doubles", "9,3,3,1 * * * *", "1,3,9 * * * *"},
		{"list of ranges and steps", "1-3,20-40/10,59 * * * *", "1-3,20,30,40,59 * * * *"},
		{"list that is a step", "45,0,15,30 * * * *", "*/15 * * * *"},
		{"star in a list", "5,* * * * *", "* * * * *"},
		{"month names", "0 0 1 jan,MAR,Dec *", "0 0 1 1,3,12 *"},
		{"month range of names", "0 0 1 feb-apr *", "0 0 1 2-4 *"},
		{"month name to number", "0 0 1 feb-4 *", "0 0 1 2-4 *"},
		{"weekday names", "0 0 * * mon-fri,SUN", "0 0 * * 0-5"},
		{"weekday range with a step of names", "0 0 * * mon-fri/2", "0 0 * * 1-5/2"},
		{"Sunday is 0", "0 0 * * 0", "0 0 * * 0"},
		{"Sunday is 7", "0 0 * * 7", "0 0 * * 0"},
		{"range to Sunday as 7", "0 0 * * 5-7", "0 0 * * 0,5,6"},
		{"all weekdays from Monday", "0 0 * * 1-7", "0 0 * * 0-6"},
		{"0-7 is the week", "0 0 * * 0-7", "0 0 * * 0-6"},
		{"all days as a range stay restricted", "0 0 1-31 * 1", "0 0 1-31 * 1"},
		{"day step keeps its star", "0 0 */2 * 1", "0 0 */2 * 1"},
		{"day step written out has no star", "0 0 1-31/2 * 1", "0 0 1-31/2 * 1"},
		{"day star with more in the list", "0 0 */10,5,6 * 1", "0 0 */10,5,6 * 1"},
		{"day star later in the list is no star", "0 0 5,*/10 * 1", "0 0 1,5,11,21,31 * 1"},
		{"weekday star step", "0 0 1 * */2", "0 0 1 * */2"},
		{"weekday star step of all", "0 0 1 * */7", "0 0 1 * */7"},
		{"hourly", "@hourly", "0 * * * *"},
		{"daily", "@daily", "0 0 * * *"},
		{"midnight", "@midnight", "0 0 * * *"},
		{"weekly", "@weekly", "0 0 * * 0"},
		{"monthly", "@monthly", "0 0 1 * *"},
		{"yearly", "@yearly", "0 0 1 1 *"},
		{"annually", "@annually", "0 0 1 1 *"},
		{"macro in capitals", " @Daily ", "0 0 * * *"},
		{"six fields", "*/10 5 4 3 2 1", "*/10 5 4 3 2 1"},
		{"on the minute", "0 5 4 3 2 1", "5 4 3 2 1"},
		{"last day", "0 0 L * *", "0 0 L * *"},
		{"days before the last, in any order", "0 0 l-3,L,1,L-1 * *", "0 0 1,L,L-1,L-3 * *"},
		{"the last day, written longer", "0 0 L-0 * *", "0 0 L * *"},
		{"nearest weekdays", "0 0 LW,15W,1w * *", "0 0 1W,15W,LW * *"},
		{"star and the last day", "0 0 */10,L * 5", "0 0 */10,L * 5"},
		{"all days and the last", "0 0 *,L * 5", "0 0 *,L * 5"},
		{"third Friday", "0 0 * * fri#3", "0 0 * * 5#3"},
		{"last Friday, first Sunday and Mondays", "0 0 * * friL,7#1,1", "0 0 * * 1,0#1,5L"},
		{"at", "@at 2026-12-24T18:00:00+01:00", "@at 2026-12-24T17:00:00Z"},
		{"at a part of a second", "@at 2026-12-24T17:00:00.25Z", "@at 2026-12-24T17:00:00.25Z"},
		{"once", "@once", "@once"},
		{"every", "@every 90s", "@every 1m30s"},
		{"every in minutes", "@every 5m", "@every 5m"},
		{"every in hours", "@every 36h", "@every 36h"},
		{"every with fractions that make a second", "@every 1.5m", "@every 1m30s"},
		{"every second", "@every 1000ms", "@every 1s"},
		{"every hour and second", "@every 1h0m1s", "@every 1h0m1s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Parse(c.expr)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.String(); got != c.canonical {
				t.Fatalf("String() = %q, want %q", got, c.canonical)
			}
			if again, err := Parse(s.String()); err != nil || again != s {
				t.Errorf("parsed again: %+v, %v; want %+v", again, err, s)
			}
		})
	}
}

func TestParseEqual(t *testing.T) {
	for _, c := range [][2]string{
		{"@daily", "0 0 * * *"},
		{"@every 60s", "@every 1m"},
		{"*/15 * * * *", "0,15,30,45 0-23 * 1-12 *"},
		{"0 0 * * sun", "0 0 * * 7"},
	} {
		a, errA := Parse(c[0])
		b, errB := Parse(c[1])
		if errA != nil || errB != nil || a != b {
			t.Errorf("%q and %q: %+v, %v and %+v, %v; want equal values", c[0], c[1], a, errA, b, errB)
		}
	}
}

func TestParseErrors(t *testing.T) {
	const fields = `; allowed: the five fields minute hour day-of-month month day-of-week, six with seconds before them, or one of ` + macroNames
	const lists = `*, H, lists a,b, ranges a-b, steps */n and a-b/n`
	const durations = `; allowed: whole seconds, 1s or more, such as 90s, 5m or 1h30m`
	for _, c := range []struct{ name, expr, want string }{
		{"empty", "", `expression "" has 0 fields` + fields},
		{"blank", " ", `expression " " has 0 fields` + fields},
		{"four fields", "* * * *", `expression "* * * *" has 4 fields` + fields},
		{"seven fields", "0 * * * * * 2026", `expression "0 * * * * * 2026" has 7 fields` + fields},
		{"second 60", "60 * * * * *", `second "60": outside 0-59`},
		{"too long", strings.Repeat("1,", 600) + "1 * * * *", `expression of 1209 bytes: longer than the 1000 allowed`},
		{"minute too large", "61 * * * *", `minute "61": outside 0-59`},
		{"minute 60", "60 * * * *", `minute "60": outside 0-59`},
		{"hour 24", "0 24 * * *", `hour "24": outside 0-23`},
		{"day 0", "0 0 0 * *", `day-of-month "0": outside 1-31`},
		{"day 32", "0 0 32 * *", `day-of-month "32": outside 1-31`},
		{"month 0", "0 0 1 0 *", `month "0": outside 1-12 or jan-dec`},
		{"month 13", "0 0 1 13 *", `month "13": outside 1-12 or jan-dec`},
		{"weekday 8", "0 0 * * 8", `day-of-week "8": outside 0-7 or sun-sat`},
		{"beyond any integer", "99999999999999999999 * * * *", `minute "99999999999999999999": outside 0-59`},
		{"one of a list", "5,61 * * * *", `minute "61" in "5,61": outside 0-59`},
		{"end of a range", "5-61 * * * *", `minute "5-61": outside 0-59`},
		{"empty item", "1,,2 * * * *", `minute "" in "1,,2": not understood; allowed: 0-59, ` + lists},
		{"comma at the end", "1, * * * *", `minute "" in "1,": not understood; allowed: 0-59, ` + lists},
		{"negative", "-1 * * * *", `minute "-1": not understood; allowed: 0-59, ` + lists},
		{"signed", "+1 * * * *", `minute "+1": not understood; allowed: 0-59, ` + lists},
		{"open range", "5- * * * *", `minute "5-": not understood; allowed: 0-59, ` + lists},
		{"range of three", "1-2-3 * * * *", `minute "1-2-3": not understood; allowed: 0-59, ` + lists},
		{"range from a star", "*-5 * * * *", `minute "*-5": not understood; allowed: 0-59, ` + lists},
		{"two stars", "** * * * *", `minute "**": not understood; allowed: 0-59, ` + lists},
		{"other digits", "٣ * * * *", `minute "٣": not understood; allowed: 0-59, ` + lists},
		{"month name in the wrong field", "0 0 jan * *", `day-of-month "jan": not understood; allowed: 1-31, ` + lists + alsoDays},
		{"long month name", "0 0 1 january *",
			`month "january": not understood; allowed: 1-12 or jan-dec, ` + lists},
		{"question mark", "0 0 ? * 1", `day-of-month "?": not understood; allowed: 1-31, ` + lists + alsoDays},
		{"long before the last day", "0 0 L-28 * *", `day-of-month "L-28": so many days before the last, L-n, are L-0 to L-27`},
		{"weekday nearest to no day", "0 0 32W * *", `day-of-month "32W": outside 1-31`},
		{"W alone", "0 0 W * *", `day-of-month "W": not understood; allowed: 1-31, ` + lists + alsoDays},
		{"last of the wrong field", "L 0 * * *", `minute "L": not understood; allowed: 0-59, ` + lists},
		{"sixth Friday", "0 0 * * 5#6", `day-of-week "5#6": a#n is the n-th such day of the month; allowed: #1 to #5`},
		{"zeroth Friday", "0 0 * * fri#0", `day-of-week "fri#0": a#n is the n-th such day of the month; allowed: #1 to #5`},
		{"third of no day", "0 0 * * 8#3", `day-of-week "8#3": outside 0-7 or sun-sat`},
		{"L alone as a weekday", "0 0 * * L", `day-of-week "L": not understood; allowed: 0-7 or sun-sat, ` + lists + alsoWeekdays},
		{"hash without a name", "H * * * *", `minute "H": there is no name of a schedule here, of which H is made`},
		{"hash of half a range", "H(3 * * * *", `minute "H(3": not understood; allowed: H, H/n, H(a-b), H(a-b)/n`},
		{"hash of a range that runs backwards", "H(9-3) * * * *", `minute "H(9-3)": the range runs backwards`},
		{"at no time", "@at noon", `@at "noon": not a time; allowed: a date, a time and where, such as 2026-12-24T18:00:00+01:00`},
		{"at a time before all", "@at 1969-12-31T23:59:59Z", `@at "1969-12-31T23:59:59Z": outside the years 1970 to 9999`},
		{"backward range", "50-10 * * * *",
			`minute "50-10": the range runs backwards; write it as two: 50-59,0-10`},
		{"backward range over midnight", "0 22-2 * * *",
			`hour "22-2": the range runs backwards; write it as two: 22-23,0-2`},
		{"backward weekdays", "0 0 * * fri-mon",
			`day-of-week "fri-mon": the range runs backwards; write it as two: fri-6,0-mon`},
		{"backward from Sunday as 7", "0 0 * * 7-3",
			`day-of-week "7-3": the range runs backwards; write it as two: 7-7,0-3`},
		{"step on a number", "3/5 * * * *",
			`minute "3/5": a step follows * or a range, for example 3-59/5`},
		{"step 0", "*/0 * * * *", `minute "*/0": step outside 1-60`},
		{"step too large", "*/90 * * * *", `minute "*/90": step outside 1-60`},
		{"step beyond any integer", "*/99999999999999999999 * * * *",
			`minute "*/99999999999999999999": step outside 1-60`},
		{"weekday step too large", "0 0 * * */8", `day-of-week "*/8": step outside 1-7`},
		{"step missing", "*/ * * * *", `minute "*/": step "" is not a number; allowed: 1-60`},
		{"step twice", "*/5/5 * * * *", `minute "*/5/5": step "5/5" is not a number; allowed: 1-60`},
		{"unknown macro", "@reboot", `macro "@reboot": not known; allowed: ` + macroNames},
		{"macro with more", "@daily 5", `"5" after macro "@daily": only @every and @at are followed by something`},
		{"every without a duration", "@every", `@every "": not a duration` + durations},
		{"every with a number", "@every 5", `@every "5": not a duration` + durations},
		{"every with spaces", "@every 5 m", `@every "5 m": not a duration` + durations},
		{"every in days", "@every 1d", `@every "1d": not a duration` + durations},
		{"every backwards", "@every -5m", `@every "-5m": shorter than 1s` + durations},
		{"every too often", "@every 999ms", `@every "999ms": shorter than 1s` + durations},
		{"every with a fraction", "@every 1500ms", `@every "1500ms": not in whole seconds` + durations},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := Parse(c.expr)
			if err == nil {
				t.Fatalf("parsed as %q, want an error", s)
			}
			if err.Error() != c.want {
				t.Errorf("error\n  %s\nwant\n  %s", err, c.want)
			}
			if (s != Schedule{}) {
				t.Errorf("schedule %+v beside the error, want the zero one", s)
			}
		})
	}
}

// H is the same for the same name, within its range, and spreads names evenly over it.
func TestParseHash(t *testing.T) {
	for _, c := range []struct {
		expr  string
		field func(Schedule) set
		of    set // what it may be
		least int // how many of those it is for some name, of 2,000
	}{
		{"H * * * *", func(s Schedule) set { return s.minute.set }, progression(0, 59, 1), 60},
		{"0 H(2-5) * * *", func(s Schedule) set { return s.hour.set }, progression(2, 5, 1), 4},
		{"0 0 H * *", func(s Schedule) set { return s.dayOfMonth.set }, progression(1, 28, 1), 28},
		{"0 0 * * H", func(s Schedule) set { return s.dayOfWeek.set }, progression(0, 6, 1), 7},
		{"H 0 0 * * *", func(s Schedule) set { return s.second.set }, progression(0, 59, 1), 60},
		{"0 0 1 h(jan-mar) *", func(s Schedule) set { return s.month.set }, progression(1, 3, 1), 3},
	} {
		var seen set
		counts := map[set]int{}
		for i := range 2000 {
			s, err := ParseFor("name"+strconv.Itoa(i), c.expr)
			if err != nil {
				t.Fatal(err)
			}
			got := c.field(s)
			if got.len() != 1 || !c.of.contains(got) {
				t.Fatalf("%q gives %b", c.expr, got)
			}
			if again, _ := ParseFor("name"+strconv.Itoa(i), c.expr); again != s {
				t.Fatalf("%q of the same name: %s, then %s", c.expr, s, again)
			}
			seen |= got
			counts[got]++
		}
		if seen.len() != c.least {
			t.Errorf("%q gives %d numbers, want %d", c.expr, seen.len(), c.least)
		}
		for n, count := range counts {
			if count > 2*2000/c.least {
				t.Errorf("%q gives %b %d times of 2,000", c.expr, n, count)
			}
		}
	}
	steps := map[string]bool{}
	for i := range 200 {
		s, err := ParseFor("name"+strconv.Itoa(i), "H/15 H(8-17)/4 * * *")
		if err != nil {
			t.Fatal(err)
		}
		if s.minute.set.len() != 4 || s.minute.set.max()-s.minute.set.min() != 45 || s.hour.set.min() < 8 || s.hour.set.min() > 11 || s.hour.set.max() > 17 {
			t.Errorf("steps of H: %s", s)
		}
		steps[s.String()] = true
	}
	if len(steps) < 40 {
		t.Errorf("200 names have %d ways, of 60", len(steps))
	}
}

// What an error advises must be allowed.
func TestParseAdvice(t *testing.T) {
	for _, expr := range []string{
		"3-59/5 * * * *", "50-59,0-10 * * * *", "0 0 * * fri-6,0-mon", "0 0 * * 7-7,0-3",
	} {
		if _, err := Parse(expr); err != nil {
			t.Error(err)
		}
	}
}
