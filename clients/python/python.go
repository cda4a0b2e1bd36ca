// Package python holds Rota's library for Python, so that "rota jar init" can put it into a jar. It touches nothing.
package python

import (
	"embed"
	"io/fs"
)

//go:embed jobjar/*.py
var files embed.FS

// Library is the folder with the package jobjar, as it goes into a folder of Python's path.
var Library fs.FS = files
