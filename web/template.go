package web

import (
	"embed"
	"html/template"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/rotaqueue/rota"
)

//go:embed pages
var pageFiles embed.FS

// templates are the pages by name, each with the layout and the parts that all have. They are read when the first page is
// asked for: most processes of this program show none.
var templates = sync.OnceValue(func() map[string]*template.Template {
	base := template.Must(template.New("").Funcs(functions).ParseFS(pageFiles, "pages/layout.html", "pages/parts.html"))
	all := map[string]*template.Template{}
	names, err := fs.Glob(pageFiles, "pages/*.html")
	if err != nil {
		panic(err)
	}
	for _, file := range names {
		name := strings.TrimSuffix(path.Base(file), ".html")
		if name != "layout" && name != "parts" {
			all[name] = template.Must(template.Must(base.Clone()).ParseFS(pageFiles, file))
		}
	}
	return all
})

var functions = template.FuncMap{
	"args":     func(list ...any) []any { return list },
	"bytes":    bytesText,
	"count":    countText,
	"duration": durationText,
	"states":   func() []rota.State { return rota.States },
	"json":     jsonText,
	"percent":  percent,
	"join":     strings.Join,
	"lower":    strings.ToLower,
	"add":      func(a, b int) int { return a + b },
	"has":      func(list []string, s string) bool { return contains(list, s) },
}
