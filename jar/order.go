package jar

import "cmp"

// entry is a waiting job, as far as its place in the order goes.
type entry struct {
	name     string
	priority int
	age      int64 // when the file was last changed, in nanoseconds by its file system's clock: the less the older
	size     int64
}

// compare orders jobs of one category: the higher priority first, then the older, then by name.
func compare(a, b entry) int {
	return cmp.Or(cmp.Compare(b.priority, a.priority), cmp.Compare(a.age, b.age), cmp.Compare(a.name, b.name))
}
