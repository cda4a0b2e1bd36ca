package doctor

import "context"

const (
	fewInodes = 10_000 // files: below, somebody else's mass of small files is about to stop the node
	noInodes  = 500
)

// checkInodes asks how many files can still be made where the data folder lies.
func checkInodes(_ context.Context, p Place) Finding {
	base, st, err := statfs(p.Data)
	if err != nil {
		return fail(elsewhere, "the free inodes of %s are not known: %v", p.Data, err)
	}
	return judgeInodes(base, uint64(st.Files), uint64(max(int64(st.Ffree), 0)))
}

func judgeInodes(dir string, all, free uint64) Finding {
	fix := "remove files that nobody needs (df -i " + quote(dir) + "), or " + elsewhere
	switch {
	case all == 0:
		return ok("the file system of %s has no fixed number of files", dir)
	case free < noInodes:
		return fail(fix, "only %d more files can be made where %s lies: too few for a node", free, dir)
	case free < fewInodes:
		return warn(fix, "only %d more files can be made where %s lies", free, dir)
	}
	return ok("%d more files can be made where %s lies", free, dir)
}
