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
	// One after the other: a hundred thousand names are dear to compare, and most often need not be.
	if a.priority != b.priority {
		return cmp.Compare(b.priority, a.priority)
	}
	if a.age != b.age {
		return cmp.Compare(a.age, b.age)
	}
	return cmp.Compare(a.name, b.name)
}
