// Package s3 keeps bytes in a bucket of S3 or of what speaks like it.
//
// It promises what rota.Objects promise, as far as the store of the bucket does: an object is there when it was put, for
// whoever asks from then on. It touches connections to that store; it reads credentials where those who use S3 have
// them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, ~/.aws/credentials, or the machine's role.
package s3

import (
	"context"
	"errors"
	"io"
	"net/url"
	"strings"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/rotaqueue/rota"
)

// Objects are those of a bucket below a prefix.
type Objects struct {
	client *minio.Core
	bucket string
	prefix string
}

const fix = "write s3://BUCKET/PREFIX, for another store than Amazon's with ?endpoint=https://HOST:PORT"

// Open makes Objects of a URL, s3://BUCKET/PREFIX?endpoint=URL&region=NAME. It connects to nothing yet.
func Open(text string) (*Objects, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "s3" || u.Host == "" || u.Fragment != "" {
		return nil, rota.Invalid("object store %q: not understood", text).WithFix(fix)
	}
	if u.User != nil {
		return nil, rota.Invalid("object store s3://…@%s: a secret does not belong into a URL, where it ends up in logs", u.Host).
			WithFix("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write ~/.aws/credentials")
	}
	o := &Objects{bucket: u.Host, prefix: strings.Trim(u.Path, "/")}
	if o.prefix != "" {
		o.prefix += "/"
	}
	opts := &minio.Options{Secure: true, Creds: credentials.NewChainCredentials([]credentials.Provider{
		&credentials.EnvAWS{}, &credentials.FileAWSCredentials{}, &credentials.IAM{}})}
	host := "s3.amazonaws.com"
	for key, values := range u.Query() {
		switch {
		case key == "region" && len(values) == 1:
			opts.Region = values[0]
		case key == "endpoint" && len(values) == 1:
			if host, opts.Secure, err = endpoint(values[0]); err != nil {
				return nil, err
			}
			opts.BucketLookup = minio.BucketLookupPath
		default:
			return nil, rota.Invalid("object store %q: %s is not understood", text, key).WithFix(fix)
		}
	}
	if o.client, err = minio.NewCore(host, opts); err != nil {
		return nil, rota.Invalid("object store %q: %v", text, err).WithFix(fix)
	}
	o.client.SetAppInfo("rota", rota.Version)
	return o, nil
}

func endpoint(text string) (host string, secure bool, err error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.User != nil {
		return "", false, rota.Invalid("endpoint %q: write https://HOST:PORT", text)
	}
	return u.Host, u.Scheme == "https", nil
}

// Put puts an object. The store takes it whole or not at all.
func (o *Objects) Put(ctx context.Context, name string, size int64, body io.Reader) error {
	short := &counted{Reader: body, left: size}
	_, err := o.client.Client.PutObject(ctx, o.bucket, o.prefix+name, short, size, minio.PutObjectOptions{ContentType: "application/octet-stream"})
	if short.err != nil {
		return short.err // what the body said, rather than what became of the request for it
	}
	return o.kind(err)
}

// counted is a body that must not end early.
type counted struct {
	io.Reader
	left int64
	err  error
}

func (c *counted) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.left -= int64(n)
	switch {
	case err == io.EOF && c.left > 0:
		c.err = rota.Invalid("it ends %d bytes early", c.left)
		return n, c.err
	case err != nil && err != io.EOF:
		c.err = err
	}
	return n, err
}

// Get reads a piece of an object.
func (o *Objects) Get(ctx context.Context, name string, offset int64, max int) ([]byte, error) {
	if max <= 0 {
		return nil, nil
	}
	opts := minio.GetObjectOptions{}
	if err := opts.SetRange(offset, offset+int64(max)-1); err != nil {
		return nil, rota.Invalid("piece at %d: %v", offset, err)
	}
	body, _, _, err := o.client.GetObject(ctx, o.bucket, o.prefix+name, opts)
	if minio.ToErrorResponse(err).Code == minio.InvalidRange {
		return nil, nil // behind its end
	}
	if err != nil {
		return nil, o.kind(err)
	}
	defer body.Close()
	b, err := io.ReadAll(io.LimitReader(body, int64(max)))
	return b, o.kind(err)
}

// Remove removes an object.
func (o *Objects) Remove(ctx context.Context, name string) error {
	err := o.kind(o.client.RemoveObject(ctx, o.bucket, o.prefix+name, minio.RemoveObjectOptions{}))
	if errors.Is(err, rota.ErrNotFound) {
		return nil
	}
	return err
}

// URL is the object's, as the tools of S3 have it.
func (o *Objects) URL(name string) string { return "s3://" + o.bucket + "/" + o.prefix + name }

// kind gives an error a kind. All but an object that is not there may be mended without asking differently: also a bucket
// that is not there, or a key that is not allowed.
func (o *Objects) kind(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	told := minio.ToErrorResponse(err)
	switch told.Code {
	case minio.NoSuchKey:
		return rota.Errorf(rota.ErrNotFound, "object store s3://%s: no such object", o.bucket)
	case minio.NoSuchBucket:
		return rota.Errorf(rota.ErrUnavailable, "object store s3://%s: there is no such bucket", o.bucket).WithFix("make it, or name another with --blobs")
	case minio.AccessDenied, "InvalidAccessKeyId", "SignatureDoesNotMatch":
		return rota.Errorf(rota.ErrUnavailable, "object store s3://%s: it refuses the node's key: %s", o.bucket, told.Code).
			WithFix("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY where the node is started")
	}
	return rota.Errorf(rota.ErrUnavailable, "object store s3://%s: %v", o.bucket, err)
}
