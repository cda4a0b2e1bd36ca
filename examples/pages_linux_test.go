package examples_test

import (
	"bufio"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

var assetOfPage = regexp.MustCompile(`<script src="([^"]+/rota\.js)"`)

// pages: somebody signs in through the proxy, also below a path of which the nodes know nothing; what the page names is
// there, an act leads back below the path, and what changes is told as it does.
func (p *proxy) pages(t *testing.T, c *client, secret string) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	browser := &http.Client{Jar: jar, Transport: p.client.Transport, Timeout: patience}
	ask := func(method, path string, form url.Values) (*http.Response, string) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, c.url+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := browser.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil {
			t.Fatal(err)
		}
		return answer, string(body)
	}
	if answer, body := ask("GET", "/jobs", nil); !strings.HasPrefix(answer.Request.URL.String(), c.url+"/login") || !strings.Contains(body, "Sign in") {
		t.Errorf("nobody is led to %s", answer.Request.URL)
	}
	answer, body := ask("POST", "/login", url.Values{"token": {secret}})
	if answer.StatusCode != http.StatusOK || !strings.Contains(body, "Needs attention") && !strings.Contains(body, "Nodes up") {
		t.Fatalf("signed in: %s at %s", answer.Status, answer.Request.URL)
	}
	job := c.rota("submit", "--hold", "--", "true")
	answer, body = ask("POST", "/act/do", url.Values{"act": {"cancel"}, "id": {job}, "rows": {"jobs"}, "back": {"jobs/" + job}})
	if want := c.url + "/jobs/" + job; !strings.HasPrefix(answer.Request.URL.String(), want) || !strings.Contains(body, "1 task cancelled") {
		t.Errorf("after an act: %s at %s", answer.Status, answer.Request.URL)
	}
	asset := assetOfPage.FindStringSubmatch(body)
	if asset == nil {
		t.Fatal("the page names no script")
	}
	at, err := answer.Request.URL.Parse(asset[1])
	if err != nil {
		t.Fatal(err)
	}
	if got, _ := ask("GET", strings.TrimPrefix(at.String(), c.url), nil); got.StatusCode != http.StatusOK || !strings.HasPrefix(got.Header.Get("Content-Type"), "text/javascript") {
		t.Errorf("%s: %s", at, got.Status)
	}
	r, err := http.NewRequestWithContext(t.Context(), "GET", c.url+"/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := browser.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Body.Close()
	lines := bufio.NewScanner(stream.Body)
	for lines.Scan() && lines.Text() != "event: hello" {
	}
	if lines.Text() != "event: hello" {
		t.Errorf("the stream did not begin: %v", lines.Err())
	}
}
