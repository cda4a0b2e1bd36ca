package rota

import (
	"path"
	"strings"
	"unicode/utf8"
)

// Artifact is a file that an attempt left in its working folder, and that was kept: its bytes are a blob, which stays as
// long as its job does.
type Artifact struct {
	Try
	Name string `json:"name" doc:"its path in the working folder"`
	Size int64  `json:"size" doc:"bytes"`
	Blob BlobID `json:"sha256" doc:"of its bytes, in hex: the blob that it is kept as; an empty file is none"`
}

// Check refuses an artifact that cannot be kept.
func (a *Artifact) Check() error {
	switch {
	case a.Size < 0:
		return Invalid("artifact %q: %d bytes are no size", a.Name, a.Size)
	case a.Size > MaxArtifactBytes:
		return tooLarge("artifact", int(a.Size), MaxArtifactBytes, "bytes")
	}
	if err := CheckArtifactName(a.Name); err != nil {
		return err
	}
	return a.Blob.Check()
}

// CheckArtifactName refuses what cannot be the name of a file below a folder, wherever that is.
func CheckArtifactName(name string) error {
	switch {
	case len(name) > MaxArtifactName:
		return tooLarge("artifact name", len(name), MaxArtifactName, "bytes")
	case !utf8.ValidString(name) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
		return Invalid("artifact %q: its name is UTF-8 text without control characters", name)
	case !isBelow(name):
		return Invalid(`artifact %q: its name leads from the working folder down, without "..", "." and "//"`, name)
	}
	return nil
}

// isBelow reports whether a path can only name what is in a folder.
func isBelow(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return false
		}
	}
	return true
}

// AnyFolders is the part of a pattern of artifacts that stands for any number of folders.
const AnyFolders = "**"

// checkArtifacts is about the patterns of files that are kept.
func (s *Spec) checkArtifacts() error {
	if len(s.Artifacts) > MaxArtifactPatterns {
		return tooLarge("artifacts", len(s.Artifacts), MaxArtifactPatterns, "patterns")
	}
	for _, p := range s.Artifacts {
		if strings.HasPrefix(p, "@") && p != Stdout.Artifact() && p != Stderr.Artifact() {
			return Invalid("artifact pattern %q: what begins with @ is %s or %s, all that is written there", p, Stdout.Artifact(), Stderr.Artifact()).
				WithFix("for files whose names begin so: --artifact '[@]%s'", p[1:])
		}
		if !isBelow(p) {
			return Invalid(`artifact pattern %q: it leads from the working folder down, without "..", "." and "//"`, p).
				WithFix("write it relative to the folder that the job runs in: --artifact 'out/*.txt'")
		}
		if err := CheckArtifactName(p); err != nil {
			return err
		}
		for part := range strings.SplitSeq(p, "/") {
			if _, err := path.Match(part, ""); err != nil {
				return Invalid("artifact pattern %q: %q is not a pattern", p, part).WithFix(`write * ? [a-z], and \ before what is to be taken as it is`)
			}
			if part != AnyFolders && strings.Contains(part, AnyFolders) {
				return Invalid("artifact pattern %q: ** stands alone between slashes", p).WithFix("--artifact '**/*.txt'")
			}
		}
	}
	return nil
}
