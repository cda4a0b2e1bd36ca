package main

import (
	"path/filepath"
	"strings"

	"github.com/rotaqueue/rota"
	"github.com/rotaqueue/rota/config"
	blobfolder "github.com/rotaqueue/rota/objects/folder"
	"github.com/rotaqueue/rota/objects/s3"
	"github.com/rotaqueue/rota/store/sqlstore"
)

// openObjects opens the place where the bytes of blobs are: the one that is named, else a folder beside an embedded store,
// and the database where many servers share one.
func openObjects(place, data string, shared bool, store *sqlstore.Store) (rota.Objects, error) {
	switch {
	case strings.HasPrefix(place, "s3://"):
		return s3.Open(place)
	case place == config.BlobsInStore, place == "" && shared:
		return store.Objects(), nil
	case place == "":
		place = filepath.Join(data, "blobs")
	}
	return blobfolder.Open(place)
}
