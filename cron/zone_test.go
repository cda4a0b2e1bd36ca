package cron

import "testing"

// Each zone has its own way of changing its clocks; each case says by name what must come of it.
func TestNextByZone(t *testing.T) {
	for _, z := range []struct {
		zone  string
		cases []dueTimes
	}{
		{"America/New_York", newYork},
		{"America/Santiago", santiago},
		{"America/Asuncion", asuncion},
		{"Africa/Cairo", cairo},
		{"Asia/Beirut", beirut},
		{"Australia/Lord_Howe", lordHowe},
		{"Antarctica/Troll", troll},
		{"Pacific/Apia", apia},
		{"Pacific/Kwajalein", kwajalein},
		{"Africa/Casablanca", casablanca},
		{"Africa/Monrovia", monrovia},
	} {
		t.Run(z.zone, func(t *testing.T) {
			loc := loadZone(t, z.zone)
			for _, c := range z.cases {
				c.run(t, loc)
			}
		})
	}
}

// 2026: 8 March 02:00 -05 becomes 03:00 -04, 1 November 02:00 -04 becomes 01:00 -05.
var newYork = []dueTimes{
	{"skipped: once, right after the gap", "30 2 * * *", "2026-03-07T12:00:00-05:00",
		[]string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:30:00-04:00"}},
	{"many skipped: once", "*/5 2 * * *", "2026-03-08T00:00:00-05:00",
		[]string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:00:00-04:00", "2026-03-09T02:05:00-04:00"}},
	{"skipped and one at the end of the gap: once", "0,30 2,3 * * *", "2026-03-08T00:00:00-05:00",
		[]string{"2026-03-08T03:00:00-04:00", "2026-03-08T03:30:00-04:00", "2026-03-09T02:00:00-04:00"}},
	{"skipped and one soon after", "15 2,3 * * *", "2026-03-08T00:00:00-05:00",
		[]string{"2026-03-08T03:00:00-04:00", "2026-03-08T03:15:00-04:00"}},
	{"at the end of the gap", "0 3 * * *", "2026-03-08T00:00:00-05:00",
		[]string{"2026-03-08T03:00:00-04:00", "2026-03-09T03:00:00-04:00"}},
	{"asked at the end of the gap", "30 2 * * *", "2026-03-08T03:00:00-04:00", []string{"2026-03-09T02:30:00-04:00"}},
	{"asked a moment before the gap", "30 2 * * *", "2026-03-08T01:59:59.9-05:00", []string{"2026-03-08T03:00:00-04:00"}},
	{"skipped on its only day", "30 2 8 3 *", "2026-01-01T00:00:00-05:00",
		[]string{"2026-03-08T03:00:00-04:00", "2027-03-08T02:30:00-05:00"}},
	{"every two hours is fixed: the skipped one once", "30 */2 * * *", "2026-03-08T00:00:00-05:00",
		[]string{"2026-03-08T00:30:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-08T04:30:00-04:00"}},
	{"interval over a gap: no extra", "30 * * * *", "2026-03-08T00:30:00-05:00",
		[]string{"2026-03-08T01:30:00-05:00", "2026-03-08T03:30:00-04:00"}},
	{"interval over a gap: each 30 minutes", "*/30 * * * *", "2026-03-08T01:00:00-05:00",
		[]string{"2026-03-08T01:30:00-05:00", "2026-03-08T03:00:00-04:00", "2026-03-08T03:30:00-04:00"}},
	{"interval on one day only", "0 * 8 3 *", "2026-03-08T01:00:00-05:00", []string{"2026-03-08T03:00:00-04:00"}},

	{"repeated: the first only", "30 1 * * *", "2026-10-31T12:00:00-04:00",
		[]string{"2026-11-01T01:30:00-04:00", "2026-11-02T01:30:00-05:00"}},
	{"repeated, asked in the second pass", "30 1 * * *", "2026-11-01T01:10:00-05:00", []string{"2026-11-02T01:30:00-05:00"}},
	{"repeated, asked as the second pass begins", "0 1 * * *", "2026-11-01T01:59:59.5-04:00", []string{"2026-11-02T01:00:00-05:00"}},
	{"every minute of the repeated hour", "*/30 0-2 * * *", "2026-11-01T00:30:00-04:00",
		[]string{"2026-11-01T01:00:00-04:00", "2026-11-01T01:30:00-04:00", "2026-11-01T02:00:00-05:00"}},
	{"end of the repeated hour", "0 2 * * *", "2026-11-01T00:00:00-04:00",
		[]string{"2026-11-01T02:00:00-05:00", "2026-11-02T02:00:00-05:00"}},
	{"interval in the repeated hour: both", "30 * * * *", "2026-11-01T00:30:00-04:00",
		[]string{"2026-11-01T01:30:00-04:00", "2026-11-01T01:30:00-05:00", "2026-11-01T02:30:00-05:00"}},
	{"interval, hours with a step of one", "30 */1 * * *", "2026-11-01T01:30:00-04:00", []string{"2026-11-01T01:30:00-05:00"}},
	{"interval, hours as a range", "30 0-23 * * *", "2026-11-01T01:30:00-04:00", []string{"2026-11-01T01:30:00-05:00"}},
	{"interval, hourly", "@hourly", "2026-11-01T01:00:00-04:00",
		[]string{"2026-11-01T01:00:00-05:00", "2026-11-01T02:00:00-05:00"}},

	{"every follows elapsed time in spring", "@every 1h", "2026-03-08T01:00:00-05:00",
		[]string{"2026-03-08T03:00:00-04:00", "2026-03-08T04:00:00-04:00"}},
	{"every follows elapsed time in autumn", "@every 1h", "2026-11-01T01:00:00-04:00",
		[]string{"2026-11-01T01:00:00-05:00", "2026-11-01T02:00:00-05:00"}},

	// Beyond the last listed transition the standard library reports no usable end for this day.
	{"fixed on the last day of a far leap year", "0 6,18 * * *", "2040-12-31T07:00:00-05:00",
		[]string{"2040-12-31T18:00:00-05:00", "2041-01-01T06:00:00-05:00"}},
	{"interval on the last day of a far leap year", "0 * * * *", "2040-12-31T18:30:00-05:00",
		[]string{"2040-12-31T19:00:00-05:00", "2040-12-31T20:00:00-05:00"}},
	{"over the last day of a far leap year", "0 12 1 7 *", "2040-12-30T00:00:00-05:00", []string{"2041-07-01T12:00:00-04:00"}},
	{"every minute of a day, over the last day of a far leap year", "* * 1 7 *", "2040-12-30T00:00:00-05:00",
		[]string{"2041-07-01T00:00:00-04:00"}},
}

// 2026: 5 April 00:00 -03 becomes 4 April 23:00 -04, 6 September 00:00 -04 becomes 01:00 -03.
var santiago = []dueTimes{
	{"midnight skipped", "@daily", "2026-09-05T12:00:00-04:00",
		[]string{"2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00"}},
	{"midnight of a Sunday skipped", "@weekly", "2026-09-01T12:00:00-04:00",
		[]string{"2026-09-06T01:00:00-03:00", "2026-09-13T00:00:00-03:00"}},
	{"skipped at midnight and due at 01:00", "*/15 0,1 * * *", "2026-09-05T12:00:00-04:00",
		[]string{"2026-09-06T01:00:00-03:00", "2026-09-06T01:15:00-03:00"}},
	{"interval over midnight", "0 * * * *", "2026-09-05T22:30:00-04:00",
		[]string{"2026-09-05T23:00:00-04:00", "2026-09-06T01:00:00-03:00"}},
	{"last hour of the day repeated", "30 23 * * *", "2026-04-04T12:00:00-03:00",
		[]string{"2026-04-04T23:30:00-03:00", "2026-04-05T23:30:00-04:00"}},
	{"midnight put off", "@daily", "2026-04-04T12:00:00-03:00",
		[]string{"2026-04-05T00:00:00-04:00", "2026-04-06T00:00:00-04:00"}},
	{"interval in the repeated hour", "*/30 * * * *", "2026-04-04T23:00:00-03:00",
		[]string{"2026-04-04T23:30:00-03:00", "2026-04-04T23:00:00-04:00", "2026-04-04T23:30:00-04:00", "2026-04-05T00:00:00-04:00"}},
}

// 2023: 1 October 00:00 -04 became 01:00 -03.
var asuncion = []dueTimes{
	{"midnight of a month skipped", "@monthly", "2023-09-15T00:00:00-04:00",
		[]string{"2023-10-01T01:00:00-03:00", "2023-11-01T00:00:00-03:00"}},
	{"skipped on a 1st or a Sunday", "30 0 1 * 0", "2023-09-30T00:00:00-04:00",
		[]string{"2023-10-01T01:00:00-03:00", "2023-10-08T00:30:00-03:00"}},
}

// 2026: 24 April 00:00 +02 becomes 01:00 +03, 30 October 00:00 +03 becomes 29 October 23:00 +02.
var cairo = []dueTimes{
	{"skipped after midnight of a Friday", "15 0 * * fri", "2026-04-20T00:00:00+02:00",
		[]string{"2026-04-24T01:00:00+03:00", "2026-05-01T00:15:00+03:00"}},
	{"day before a skipped midnight", "59 23 * * *", "2026-04-23T00:00:00+02:00",
		[]string{"2026-04-23T23:59:00+02:00", "2026-04-24T23:59:00+03:00"}},
	{"last hour of a Thursday repeated", "30 23 * * thu", "2026-10-28T00:00:00+03:00",
		[]string{"2026-10-29T23:30:00+03:00", "2026-11-05T23:30:00+02:00"}},
	{"midnight of a Friday put off", "0 0 * * fri", "2026-10-28T00:00:00+03:00",
		[]string{"2026-10-30T00:00:00+02:00", "2026-11-06T00:00:00+02:00"}},
}

// 2026: 29 March 00:00 +02 becomes 01:00 +03, 25 October 00:00 +03 becomes 24 October 23:00 +02.
var beirut = []dueTimes{
	{"midnight skipped", "@midnight", "2026-03-28T12:00:00+02:00",
		[]string{"2026-03-29T01:00:00+03:00", "2026-03-30T00:00:00+03:00"}},
	{"midnight put off", "@midnight", "2026-10-24T12:00:00+03:00",
		[]string{"2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+02:00"}},
}

// 2026: 5 April 02:00 +11 becomes 01:30 +10:30, 4 October 02:00 +10:30 becomes 02:30 +11.
var lordHowe = []dueTimes{
	{"skipped in half an hour", "15 2 * * *", "2026-10-03T12:00:00+10:30",
		[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"}},
	{"three skipped and one at the end of the gap", "*/10 2 * * *", "2026-10-03T12:00:00+10:30",
		[]string{"2026-10-04T02:30:00+11:00", "2026-10-04T02:40:00+11:00", "2026-10-04T02:50:00+11:00", "2026-10-05T02:00:00+11:00"}},
	{"after the half hour", "45 2 * * *", "2026-10-03T12:00:00+10:30", []string{"2026-10-04T02:45:00+11:00"}},
	{"interval over the half hour", "0 * * * *", "2026-10-04T00:30:00+10:30",
		[]string{"2026-10-04T01:00:00+10:30", "2026-10-04T03:00:00+11:00"}},
	{"repeated half hour", "15,45 1 * * *", "2026-04-05T01:00:00+11:00",
		[]string{"2026-04-05T01:15:00+11:00", "2026-04-05T01:45:00+11:00", "2026-04-06T01:15:00+10:30"}},
	{"interval in the repeated half hour", "*/30 * * * *", "2026-04-05T01:00:00+11:00",
		[]string{"2026-04-05T01:30:00+11:00", "2026-04-05T01:30:00+10:30", "2026-04-05T02:00:00+10:30"}},
}

// 2026: 29 March 01:00 +00 becomes 03:00 +02, 25 October 03:00 +02 becomes 01:00 +00.
var troll = []dueTimes{
	{"skipped in two hours: once", "30 1,2 * * *", "2026-03-29T00:00:00Z",
		[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T01:30:00+02:00", "2026-03-30T02:30:00+02:00"}},
	{"repeated in two hours: the first", "30 1,2 * * *", "2026-10-25T00:00:00+02:00",
		[]string{"2026-10-25T01:30:00+02:00", "2026-10-25T02:30:00+02:00", "2026-10-26T01:30:00Z"}},
}

// 30 December 2011 was left out: 00:00 -10 became 31 December 00:00 +14.
var apia = []dueTimes{
	{"noon of the day left out", "0 12 * * *", "2011-12-29T00:00:00-10:00",
		[]string{"2011-12-29T12:00:00-10:00", "2011-12-31T00:00:00+14:00", "2011-12-31T12:00:00+14:00"}},
	{"midnight of the day left out", "@daily", "2011-12-29T00:00:00-10:00",
		[]string{"2011-12-31T00:00:00+14:00", "2012-01-01T00:00:00+14:00"}},
	{"Friday left out", "0 9 * * fri", "2011-12-25T00:00:00-10:00",
		[]string{"2011-12-31T00:00:00+14:00", "2012-01-06T09:00:00+14:00"}},
	{"many times on the day left out: once", "*/10 8-17 30 12 *", "2011-12-25T00:00:00-10:00",
		[]string{"2011-12-31T00:00:00+14:00", "2012-12-30T08:00:00+14:00"}},
	{"interval over the day", "0 * * * *", "2011-12-29T22:00:00-10:00",
		[]string{"2011-12-29T23:00:00-10:00", "2011-12-31T00:00:00+14:00"}},
	{"interval on the day left out only", "0 * 30 12 *", "2011-12-25T00:00:00-10:00", []string{"2012-12-30T00:00:00+14:00"}},
}

// 21 August 1993 was left out: 00:00 -12 became 22 August 00:00 +12. At the end of September 1969 the
// clock was put back by 23 hours: 1 October 00:00 +11 became 30 September 01:00 -12.
var kwajalein = []dueTimes{
	{"day left out", "15 10 * * *", "1993-08-20T12:00:00-12:00",
		[]string{"1993-08-22T00:00:00+12:00", "1993-08-22T10:15:00+12:00"}},
	{"Saturday left out", "15 10 * * sat", "1993-08-15T12:00:00-12:00",
		[]string{"1993-08-22T00:00:00+12:00", "1993-08-28T10:15:00+12:00"}},
	{"23 hours repeated: the first pass", "0 12 * * *", "1969-09-29T18:00:00+11:00",
		[]string{"1969-09-30T12:00:00+11:00", "1969-10-01T12:00:00-12:00"}},
	{"23 hours repeated, asked late in the second pass", "0 12 * * *", "1969-09-30T11:00:00-12:00",
		[]string{"1969-10-01T12:00:00-12:00"}},
	{"interval in 23 hours repeated", "0 * * * *", "1969-09-30T23:00:00+11:00",
		[]string{"1969-09-30T01:00:00-12:00", "1969-09-30T02:00:00-12:00"}},
}

// Off summer time through Ramadan; 2026: 15 February 03:00 +01 becomes 02:00 +00, 22 March 02:00 +00 becomes 03:00 +01.
// In 2012 there were four changes.
var casablanca = []dueTimes{
	{"repeated before Ramadan", "30 2 * * *", "2026-02-14T12:00:00+01:00",
		[]string{"2026-02-15T02:30:00+01:00", "2026-02-16T02:30:00Z"}},
	{"skipped after Ramadan", "30 2 * * *", "2026-03-21T12:00:00Z",
		[]string{"2026-03-22T03:00:00+01:00", "2026-03-23T02:30:00+01:00"}},
	{"first of four changes", "30 2 29 4 *", "2012-01-01T00:00:00Z", []string{"2012-04-29T03:00:00+01:00"}},
	{"second of four changes", "30 2 20 7 *", "2012-01-01T00:00:00Z", []string{"2012-07-20T02:30:00+01:00", "2013-07-20T02:30:00Z"}},
	{"third of four changes", "30 2 20 8 *", "2012-01-01T00:00:00Z", []string{"2012-08-20T03:00:00+01:00"}},
	{"fourth of four changes", "30 2 30 9 *", "2012-01-01T00:00:00Z", []string{"2012-09-30T02:30:00+01:00", "2013-09-30T02:30:00+01:00"}},
}

// 7 January 1972 00:00 -00:44:30 became 00:44:30 +00: a gap that does not end on a minute.
var monrovia = []dueTimes{
	{"skipped", "10 0 7 1 *", "1972-01-01T00:00:00-00:44", []string{"1972-01-07T00:44:30Z", "1973-01-07T00:10:00Z"}},
	{"soon after", "45 0 7 1 *", "1972-01-01T00:00:00-00:44", []string{"1972-01-07T00:45:00Z"}},
	{"interval", "*/15 * 7 1 *", "1972-01-01T00:00:00-00:44", []string{"1972-01-07T00:45:00Z"}},
}
