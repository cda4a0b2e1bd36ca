# Reads what "go test -json" says: prints a line for each package, and the output of what fails. Writes to the file
# named by counts how many tests passed and failed, to the file named by skips a line for each that was skipped, and to the
# one named by brief each that failed, with how its output begins and ends.
#
# A test with subtests is not counted beside them, unless it fails where none of them did.

BEGIN { KEPT = 400 }

function field(key,    at, rest) {
	at = index($0, "\"" key "\":\"")
	if (!at) return ""
	rest = substr($0, at + length(key) + 4)
	match(rest, /^([^"\\]|\\.)*/)
	return substr(rest, 1, RLENGTH)
}

function plain(text) {
	gsub(/\\\\/, "\001", text)
	gsub(/\\n/, "\n", text)
	gsub(/\\t/, "\t", text)
	gsub(/\\"/, "\"", text)
	gsub(/\\u003c/, "<", text)
	gsub(/\\u003e/, ">", text)
	gsub(/\\u0026/, "\\&", text)
	gsub(/\\u001b\[[0-9;]*m/, "", text)
	gsub(/\001/, "\\", text)
	return text
}

# what t.Skip said: the last line of the test's output that comes from a line of a file
function reason(text,    lines, n, i) {
	n = split(text, lines, "\n")
	for (i = n; i > 0; i--)
		if (lines[i] ~ /^ *[^ ]+\.go:[0-9]+: /) {
			sub(/^ *[^ ]+\.go:[0-9]+: /, "", lines[i])
			return lines[i]
		}
	return "no reason given"
}

# what a test printed, or the last of it: some print a hundred thousand lines
function said(id,    text, n) {
	n = lines[id] > KEPT ? lines[id] - KEPT : 0
	if (n) text = "(" n " lines before)\n"
	while (n++ < lines[id]) text = text output[id, n % KEPT]
	return text
}

# what a test printed, shortened: how it begins and how it ends
function words(text,    lines, n, i) {
	sub(/\n+$/, "", text)
	n = split(text, lines, "\n")
	for (i = 1; i <= n; i++)
		if ((i <= 6 || i > n - 8) && lines[i] !~ /ROTA_SEED=|WORK=|--- FAIL/) print "    " substr(lines[i], 1, 250) >brief
}

function forget(id,    n) {
	for (n = 0; n < KEPT && n <= lines[id]; n++) delete output[id, n]
	delete lines[id]
}

function ended(result, id, test, pkg,    above) {
	above = test
	while (sub(/\/[^\/]*$/, "", above)) {
		parent[pkg, above] = 1
		if (result == "fail") failedBelow[pkg, above] = 1
	}
	if (result == "skip") {
		skipped[pkg]++
		print test " (" pkg "): " reason(plain(said(id))) >skips
	} else if (result == "fail") {
		if (!(id in failedBelow)) {
			failed[pkg]++
			print "  " test " (" pkg ")" >brief
			words(plain(said(id)))
		}
		print "\n--- FAILED: " test " (" pkg ")\n" plain(said(id))
	} else if (result == "pass" && !(id in parent)) {
		passed[pkg]++
	}
	forget(id)
}

function packageEnded(result, pkg, elapsed) {
	allPassed += passed[pkg]
	if (result == "fail" && !failed[pkg]) { # it does not compile, or ended where no test had failed
		failed[pkg]++
		print "  package " pkg >brief
		print "\n--- FAILED: package " pkg "\n" plain(building[field("FailedBuild")] said(pkg SUBSEP ""))
		for (id in lines) # what was under way
			if (index(id, pkg SUBSEP) == 1 && id != pkg SUBSEP)
				print "under way: " substr(id, length(pkg SUBSEP) + 1) "\n" plain(said(id))
	}
	allFailed += failed[pkg]
	if (result != "skip") # "skip" has no tests
		printf "   %-6s %-28s %5d passed %s%s %7.1f s\n", (result == "fail" ? "FAILED" : "ok"), pkg, passed[pkg],
			(failed[pkg] ? failed[pkg] " failed " : ""), (skipped[pkg] ? skipped[pkg] " skipped" : ""), elapsed
	fflush()
}

!/^\{/ { print; next }

{
	action = field("Action")
	full = field("Package")
	pkg = full
	if (!sub("^" module "/", "", pkg)) sub("^" module "$", ".", pkg)
	test = plain(field("Test"))
	id = pkg SUBSEP test
}

action == "build-output" { building[field("ImportPath")] = building[field("ImportPath")] field("Output") }
action == "output" && index($0, "\"Output\":\"=== ") == 0 { output[id, ++lines[id] % KEPT] = field("Output") }
(action == "pass" || action == "fail" || action == "skip") && test != "" { ended(action, id, test, pkg) }
(action == "pass" || action == "fail" || action == "skip") && test == "" {
	match($0, /"Elapsed":[0-9.]*/)
	packageEnded(action, pkg, substr($0, RSTART + 10, RLENGTH - 10))
}

END { print allPassed + 0, allFailed + 0 >counts }
