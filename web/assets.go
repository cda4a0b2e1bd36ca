package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"slices"
)

//go:embed assets
var assetFiles embed.FS

// assets are the files that pages name: of this binary, and kept by browsers for as long as they like, since the way to
// them changes with what they hold.
type assets struct {
	version string
	files   map[string][]byte
}

func newAssets() assets {
	a := assets{files: map[string][]byte{}}
	var names []string
	_ = fs.WalkDir(assetFiles, "assets", func(name string, d fs.DirEntry, _ error) error {
		if !d.IsDir() {
			short := name[len("assets/"):]
			names = append(names, short)
			a.files[short], _ = assetFiles.ReadFile(name)
		}
		return nil
	})
	slices.Sort(names)
	sum := sha256.New()
	for _, n := range names {
		sum.Write([]byte(n))
		sum.Write(a.files[n])
	}
	a.version = hex.EncodeToString(sum.Sum(nil))[:12]
	return a
}

func (a *assets) path(name string) string { return "assets/" + a.version + "/" + name }

func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	text, ok := a.files[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	kind := mime.TypeByExtension(path.Ext(r.PathValue("name")))
	switch path.Ext(r.PathValue("name")) { // the machine's own table may differ
	case ".js":
		kind = "text/javascript; charset=utf-8"
	case ".css":
		kind = "text/css; charset=utf-8"
	case ".svg":
		kind = "image/svg+xml"
	case ".LICENSE":
		kind = "text/plain; charset=utf-8"
	}
	w.Header().Set("Content-Type", kind)
	if r.PathValue("version") == a.version {
		w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	_, _ = w.Write(text)
}
