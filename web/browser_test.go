package web_test

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/rotaqueue/rota"
)

// chromium is one browser for all tests of the package; each has tabs of its own.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		return nil, errors.New("chromium is not installed: apt-get install chromium")
	}
	dir, err := tempDir()
	if err != nil {
		return nil, err
	}
	flags := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.UserDataDir(dir), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.NoFirstRun, chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("force-color-profile", "srgb"),
		chromedp.Flag("hide-scrollbars", true), chromedp.WSURLReadTimeout(patience), chromedp.WindowSize(1360, 900))
	alloc, stop := chromedp.NewExecAllocator(context.Background(), flags...)
	ctx, cancel := chromedp.NewContext(alloc)
	closeBrowser = func() { cancel(); stop() }
	return ctx, chromedp.Do(ctx, chromedp.Navigate("about:blank"))
})

// tab is a tab of the browser, signed in. It fails the test for every error of a script, and for every dialog that a
// script of somebody else's opened.
type tab struct {
	w    *world
	ctx  context.Context
	base string
}

type action = chromedp.Action[chromedp.Void]

func (w *world) browse(role rota.Role) *tab { return w.browseAt(w.url, role) }

func (w *world) browseAt(base string, role rota.Role) *tab {
	w.Helper()
	browser, err := chromium()
	if err != nil {
		w.Skip(err)
	}
	// A context of the browser is a profile of its own: cookies and workers are the test's.
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	w.Cleanup(cancel)
	t := &tab{w: w, ctx: ctx, base: base}
	t.listen()
	call(t, network.SetCookie, network.SetCookieParams{Name: "rota_zone", Value: "UTC", URL: base + "/"})
	t.do(chromedp.Navigate(base+"/login"), chromedp.SetValue(`input[name=token]`, w.token[role]), click(`.login .go`), chromedp.WaitReady(`.tiles`), t.ready())
	return t
}

// beside is another tab of the same browser.
func (t *tab) beside(path string) *tab {
	t.w.Helper()
	ctx, cancel := chromedp.NewContext(t.ctx)
	t.w.Cleanup(cancel)
	other := &tab{w: t.w, ctx: ctx, base: t.base}
	other.listen()
	other.open(path)
	return other
}

func (t *tab) listen() {
	t.w.Helper()
	close := func() {
		_, _ = chromedp.Call(t.ctx, page.HandleJavaScriptDialog, page.HandleJavaScriptDialogParams{Accept: true})
	}
	t.w.ok(chromedp.Listen(t.ctx, func(ev any) {
		switch e := ev.(type) {
		case *runtime.EventExceptionThrown:
			what := e.ExceptionDetails.Text
			if x := e.ExceptionDetails.Exception; x != nil {
				what += " " + x.Description
			}
			t.w.Errorf("a script failed: %s", what)
		case *page.EventJavascriptDialogOpening:
			if e.Type != page.DialogTypeConfirm {
				t.w.Errorf("a script of somebody's ran: %s", e.Message)
			}
			go close()
		}
	}))
}

// call sends a command of the browser's protocol.
func call[P, R any](t *tab, command cdp.Command[P, R], params P) R {
	t.w.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	answer, err := chromedp.Call(ctx, command, params)
	if err != nil {
		t.w.Fatalf("in the browser: %v", err)
	}
	return answer
}

// do does actions, in a time that a busy machine may need.
func (t *tab) do(actions ...action) {
	t.w.Helper()
	run(t, chromedp.Steps(actions...))
}

func run[T any](t *tab, a chromedp.Action[T]) T {
	t.w.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	v, err := chromedp.Run(ctx, a)
	if err != nil {
		t.w.Fatalf("in the browser: %v", err)
	}
	return v
}

// soon does something in the page as soon as it can be done: the expression says whether it was. What is looked for and
// found is dealt with at once; between two commands of a driver a live page may have put another in its place.
func soon(expression string) action {
	return func(ctx context.Context, target *chromedp.Target) (done chromedp.Void, err error) {
		for {
			if ok, err := chromedp.Evaluate[bool](expression)(ctx, target); ok || err != nil && ctx.Err() != nil {
				return done, err
			}
			select {
			case <-ctx.Done():
				return done, fmt.Errorf("it could not be done: %s: %w", expression, ctx.Err())
			case <-time.After(30 * time.Millisecond):
			}
		}
	}
}

// click clicks what is to be seen and is not covered by something else.
func click(selector string) action {
	return soon(`(e => {
		if (!e?.checkVisibility() || e.disabled) return false;
		e.scrollIntoView({block: "center", behavior: "instant"});
		const r = e.getBoundingClientRect(), at = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
		if (!at || !e.contains(at) && !at.closest("label")?.contains(e)) return false;
		e.focus();
		e.click();
		return true;
	})(document.querySelector(` + strconv.Quote(selector) + `))`)
}

// seen waits until something is to be seen.
func seen(selector string) action {
	return soon("!!document.querySelector(" + strconv.Quote(selector) + ")?.checkVisibility()")
}

// ready waits until a page's script has done what it does at once.
func (t *tab) ready() action { return chromedp.WaitReady(`html[data-ready]`) }

func (t *tab) open(path string) {
	t.w.Helper()
	t.do(chromedp.Navigate(t.base+path), t.ready())
}

// eval is the value of an expression.
func eval[T any](t *tab, expression string) T {
	t.w.Helper()
	return run(t, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// until waits for an expression to be true, on this page or another that it leads to, whose script is ready.
func (t *tab) until(expression string) {
	t.w.Helper()
	ctx, cancel := context.WithTimeout(t.ctx, patience)
	defer cancel()
	if _, err := chromedp.Run(ctx, soon(`document.documentElement.hasAttribute("data-ready") && !!(`+expression+")")); err == nil {
		return
	}
	t.w.Fatalf("it never came true in the browser: %s\n%s", expression,
		eval[string](t, `location.href + "\n" + document.querySelector("main")?.innerText.slice(0, 1500)`))
}

// shows waits until something is to be seen, on whichever page comes after what was done.
func (t *tab) shows(selector string) {
	t.w.Helper()
	t.until("document.querySelector(" + strconv.Quote(selector) + ")?.checkVisibility()")
}

// press presses keys, one after another, as a keyboard does: what a page prevents when a key goes down does not come as a letter.
func (t *tab) press(keys ...string) {
	t.w.Helper()
	for _, key := range keys {
		down := input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Text: key}
		switch key {
		case "Tab":
			down.Text, down.WindowsVirtualKeyCode = "\t", 9
		case "Enter":
			down.Text, down.WindowsVirtualKeyCode = "\r", 13
		}
		call(t, input.DispatchKeyEvent, down)
		call(t, input.DispatchKeyEvent, input.DispatchKeyEventParams{Type: input.DispatchKeyEventTypeKeyUp, Key: key, WindowsVirtualKeyCode: down.WindowsVirtualKeyCode})
	}
}

func (t *tab) size(width, height int64) {
	t.w.Helper()
	call(t, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 700})
}

func (t *tab) dark(on bool) {
	t.w.Helper()
	value := map[bool]string{true: "dark", false: "light"}[on]
	call(t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: value}}})
}

func needBrowser(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("short")
	}
	if _, err := chromium(); err != nil {
		t.Skip(err)
	}
}
