// What pages do beyond showing: stay live, keep a place while they do, keys, copies, charts and logs. All of it can be
// missing, and pages still say everything.
'use strict';
(() => {
const $ = (s, at = document) => at.querySelector(s), $$ = (s, at = document) => [...at.querySelectorAll(s)];
const html = document.documentElement;
const root = new URL(html.dataset.root, location.href);
const path = root.pathname.replace(/\/$/, '') || '/';
const cookie = (name, value) => { document.cookie = `${name}=${value}; path=${path}; max-age=31536000; samesite=lax`; };
const say = text => { $('#say').textContent = text; };
const stored = (k, v) => { try { return v === undefined ? localStorage.getItem(k) : localStorage.setItem(k, v); } catch { return null; } };

// Times are those of this browser's zone until somebody chooses another.
if (!/(^|; )rota_zone=/.test(document.cookie)) {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone) { cookie('rota_zone', zone); if (zone !== html.dataset.zone && html.hasAttribute('data-in')) queueMicrotask(() => refresh(true)); }
}
if (/[?&]done=/.test(location.search)) { // what was said once is not said again
  const u = new URL(location); u.searchParams.delete('done'); history.replaceState(null, '', u);
}
for (const e of $$('#theme,#keys,#live,[data-copy],[data-wrap],[data-times],[data-follow],[data-find],[data-all-rows]')) e.hidden = false;

// --- Live ---
let paused = stored('rota-paused') === '1', state = '', dirty = false, busy = false, later = 0, upto = '';
const liveButton = $('#live');
function showLive() {
  if (!liveButton) return;
  liveButton.setAttribute('aria-pressed', String(!paused));
  liveButton.className = 'live ' + (paused ? 'paused' : state);
  $('.txt', liveButton).textContent = paused ? 'Paused' : state === 'broken' ? 'Offline' : 'Live';
}
function toggleLive() { paused = !paused; stored('rota-paused', paused ? '1' : '0'); showLive(); if (!paused && dirty) refresh(); }
if (liveButton) liveButton.onclick = toggleLive;

const ticked = () => $$('form.list input[name=id]:checked, form.list input[name=all]:checked');
function here() {
  const u = new URL(location);
  u.searchParams.delete('done');
  const form = $('form.list[data-upper]');
  if (ticked().length && form) { upto ||= form.dataset.upper; u.searchParams.set('upto', upto); } else upto = '';
  return u.pathname + u.search;
}
async function refresh(now) {
  if (busy || paused || !window.htmx) { dirty = true; return; }
  const wait = now ? 0 : 1000 - (performance.now() - later);
  if (wait > 0) { dirty = true; clearTimeout(refresh.timer); refresh.timer = setTimeout(() => refresh(true), wait); return; }
  if (document.hidden || $('dialog[open]')) { dirty = true; return; }
  busy = true; dirty = false; later = performance.now();
  try { await htmx.ajax('GET', here(), {target: '#main', select: '#main', swap: 'outerMorph'}); } catch { dirty = true; }
  busy = false;
  if (dirty && !paused) refresh();
}
function heard({state: s, topics}) {
  if (s === 'out') { location.reload(); return; }
  if (s) { state = s; showLive(); }
  if (!topics || !(html.dataset.topics || '').split(' ').some(t => t && topics.includes(t))) return;
  if (paused || document.hidden) dirty = true; else refresh();
}
if (html.hasAttribute('data-in')) {
  const url = new URL('live', root).href;
  if (window.SharedWorker) {
    const worker = new SharedWorker($('#script').dataset.worker, {name: 'rota ' + path});
    const tell = () => worker.port.postMessage({url, seen: !document.hidden});
    worker.port.onmessage = e => heard(e.data);
    addEventListener('pagehide', () => worker.port.postMessage({gone: true}));
    addEventListener('pageshow', tell);
    document.addEventListener('visibilitychange', tell);
    tell();
  } else { // one stream a tab, while it is seen
    let source;
    const update = () => {
      if (document.hidden) { source?.close(); source = null; return; }
      if (source) return;
      source = new EventSource(url);
      source.addEventListener('hello', () => heard({state: 'live'}));
      source.addEventListener('changed', e => heard({state: 'live', topics: e.data.split(' ')}));
      source.addEventListener('out', () => heard({state: 'out'}));
      source.onerror = () => heard({state: 'broken'});
    };
    document.addEventListener('visibilitychange', update);
    update();
  }
  document.addEventListener('visibilitychange', () => { if (!document.hidden && dirty && !paused) refresh(); });
  showLive();
}
document.addEventListener('htmx:before:swap', e => { // what was on its way when somebody paused
  if (busy && paused) { dirty = true; e.preventDefault(); }
});
document.addEventListener('htmx:error', () => { state = 'broken'; showLive(); });

// --- Rows ---
let row = null;
const rows = () => $$('[data-row]');
function mark(r) {
  row?.removeAttribute('aria-selected'); row = r;
  if (r) { r.setAttribute('aria-selected', 'true'); r.scrollIntoView({block: 'nearest'}); }
}
function move(step) {
  const all = rows();
  if (!all.length) return;
  const at = row ? all.findIndex(r => r.id === row.id) : -1;
  mark(all[Math.min(Math.max(at + step, 0), all.length - 1)]);
}
function picked() {
  for (const form of $$('form.list')) {
    const n = $$('input[name=id]:checked', form).length, all = $('input[name=all]', form)?.checked;
    form.classList.toggle('some', n > 0 || all);
    const text = $('[data-picked]', form);
    if (text) text.textContent = all ? 'All that match:' : n ? `${n} ticked:` : 'Tick rows to act on them, or';
  }
  if (upto && !ticked().length && !paused) refresh(); // what waited behind the ticks
}
document.addEventListener('change', e => {
  const t = e.target;
  if (t.matches('[data-all-rows]')) for (const b of $$('input[name=id]', t.closest('form'))) b.checked = t.checked;
  if (t.matches('form.list input[type=checkbox]')) picked();
  if (t.matches('.sorting select')) t.form.requestSubmit();
});
document.addEventListener('click', e => {
  const t = e.target;
  for (const d of $$('details.changes[open]')) if (!d.contains(t) || t.closest('button')) d.open = false;
  if (t.closest('[data-close]')) { const d = t.closest('dialog'); if (d) { e.preventDefault(); d.close(); return; } }
  const sure = t.closest('[data-sure]');
  if (sure && !confirm(sure.dataset.sure)) { e.preventDefault(); return; }
  const copy = t.closest('[data-copy]');
  if (copy) { copyText($(copy.dataset.copy).textContent, copy); return; }
  const r = t.closest('[data-row]');
  if (!r || t.closest('a,button,input,label,select,summary') || getSelection().toString()) return;
  if (t.closest('.tick')) { const b = $('input', r); b.checked = !b.checked; picked(); return; }
  location.href = r.dataset.href;
});
async function copyText(text, button) {
  try { await navigator.clipboard.writeText(text); } catch { // not over plain HTTP
    const area = document.createElement('textarea');
    area.value = text; area.className = 'sr'; document.body.append(area); area.select();
    document.execCommand('copy'); area.remove();
  }
  const was = button.textContent; button.textContent = 'Copied'; say('Copied'); setTimeout(() => { button.textContent = was; }, 1500);
}

// --- Dialogs ---
const dialog = $('#dialog');
document.addEventListener('htmx:after:swap', () => {
  if (dialog.childElementCount && !dialog.open) dialog.showModal();
  picked(); drawAll(); openLogs();
  if (row) { const r = document.getElementById(row.id); row = r; r?.setAttribute('aria-selected', 'true'); }
  for (const e of $$('#main [data-copy],#main [data-all-rows]')) e.hidden = false;
});
dialog.addEventListener('close', () => { dialog.replaceChildren(); if (dirty && !paused) refresh(); });
document.addEventListener('submit', e => { for (const b of $$('button', e.target)) if (e.target.method === 'post' && !e.target.hasAttribute('hx-post')) setTimeout(() => { b.disabled = true; }); });
addEventListener('pageshow', () => { for (const b of $$('button:disabled')) b.disabled = false; });

// --- Theme ---
$('#theme')?.addEventListener('click', () => {
  const dark = html.dataset.theme ? html.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  html.dataset.theme = dark ? 'light' : 'dark';
  cookie('rota_theme', html.dataset.theme);
  drawAll(true);
});

// --- Keys ---
let going = 0;
const help = $('#help');
$('#keys')?.addEventListener('click', () => help.showModal());
const press = name => { const b = $(`#actbar button[value=${name}], form.acts button[value=${name}]`); if (!b) return; if (b.closest('#actbar') && !ticked().length && row) { const c = $('input[name=id]', row); if (c) { c.checked = true; picked(); } } b.click(); };
document.addEventListener('keydown', e => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest('input:not([type=checkbox]),textarea,select') || $('dialog[open]')) return;
  if (going && Date.now() - going < 3000) {
    going = 0;
    const a = $(`nav [data-key="${CSS.escape(e.key)}"]`);
    if (a) { e.preventDefault(); location.href = a.href; }
    return;
  }
  const act = {
    '/': () => $('#q')?.focus(), g: () => { going = Date.now(); }, j: () => move(1), k: () => move(-1),
    x: () => { const b = row && $('input[name=id]', row); if (b) { b.checked = !b.checked; picked(); } },
    Enter: () => { if (row && document.activeElement === document.body || e.target === row) location.href = row.dataset.href; else return false; },
    r: () => press('retry'), c: () => press('cancel'),
    l: () => { const a = $('[data-log-link]'); if (a) location.href = a.href; else if (row) location.href = row.dataset.href + '#log'; },
    '.': toggleLive, '?': () => help.showModal(),
    Escape: () => { for (const b of ticked()) b.checked = false; picked(); mark(null); },
  }[e.key];
  if (act && act() !== false && e.key !== 'g') e.preventDefault();
});

// --- Search: completions of its last word ---
const q = $('#q'), list = $('#completions');
if (q) {
  let at = -1, asked = 0, of = '', stepping = null; // of is the word that the list was made for: a longer one may have been typed since
  const unmark = () => { list.children[at]?.setAttribute('aria-selected', 'false'); at = -1; q.removeAttribute('aria-activedescendant'); };
  const close = () => { unmark(); list.hidden = true; q.setAttribute('aria-expanded', 'false'); };
  const word = () => q.value.slice(0, q.selectionStart).match(/\S*$/)[0];
  const take = text => {
    const end = q.selectionStart, start = end - word().length, rest = q.value.slice(end);
    q.value = q.value.slice(0, start) + text + (text.endsWith(':') ? '' : ' ') + rest;
    const to = start + text.length + (text.endsWith(':') ? 0 : 1);
    q.setSelectionRange(to, to); q.focus(); close(); if (text.endsWith(':')) offer();
  };
  const offer = async () => {
    const w = word(), mine = ++asked;
    if (!w) { close(); return; }
    const found = await fetch(new URL('complete?word=' + encodeURIComponent(w), root)).then(r => r.ok ? r.json() : [], () => []);
    if (mine !== asked || document.activeElement !== q) return;
    list.replaceChildren(...found.map((c, i) => {
      const li = document.createElement('li'), b = document.createElement('b'), s = document.createElement('small');
      li.id = 'completion-' + i; li.setAttribute('role', 'option'); li.setAttribute('aria-selected', 'false');
      b.textContent = c.text; s.textContent = c.about || ''; li.append(b, s);
      li.onmousedown = e => { e.preventDefault(); if (of === word()) take(c.text); };
      return li;
    }));
    of = w; unmark(); list.hidden = !found.length; q.setAttribute('aria-expanded', String(!list.hidden));
  };
  const step = by => {
    const n = list.children.length, to = (at + by + n) % n;
    unmark(); at = to;
    list.children[at].setAttribute('aria-selected', 'true'); q.setAttribute('aria-activedescendant', list.children[at].id);
  };
  const takeMarked = () => { if (at >= 0) take($('b', list.children[at]).textContent); else q.form.requestSubmit(); };
  q.addEventListener('input', () => { unmark(); clearTimeout(offer.timer); offer.timer = setTimeout(offer, 80); });
  q.addEventListener('blur', close);
  q.addEventListener('keydown', e => {
    if (e.key === 'Escape') { if (list.hidden) q.blur(); close(); }
    if (list.hidden) return;
    if (stepping && (e.key === 'Enter' || e.key === 'Tab')) { e.preventDefault(); stepping.then(takeMarked); return; }
    if (e.key === 'ArrowDown' || e.key === 'ArrowUp' || (e.key === 'Tab' && at < 0)) {
      e.preventDefault();
      const by = e.key === 'ArrowUp' ? at < 0 ? 0 : -1 : 1;
      if (of === word()) { step(by); return; }
      clearTimeout(offer.timer);
      stepping = offer().then(() => { stepping = null; if (!list.hidden && of === word()) step(by); });
    } else if ((e.key === 'Enter' || e.key === 'Tab') && at >= 0 && of === word()) { e.preventDefault(); takeMarked(); }
  });
}

// --- Charts ---
const units = {
  bytes: v => { const u = ['B', 'KiB', 'MiB', 'GiB', 'TiB']; let i = 0; while (v >= 1024 && i < 4) { v /= 1024; i++; } return v.toFixed(i ? 1 : 0) + ' ' + u[i]; },
  seconds: v => v < 120 ? Math.round(v * 10) / 10 + ' s' : v < 7200 ? Math.round(v / 6) / 10 + ' min' : v < 172800 ? Math.round(v / 360) / 10 + ' h' : Math.round(v / 8640) / 10 + ' d',
  count: v => Math.round(v * 10) / 10 + '', '': v => v.toFixed(2),
};
const colour = name => getComputedStyle(html).getPropertyValue(name).trim();
function draw(el, anew) {
  if (!window.uPlot) return;
  const text = el.dataset.chart;
  if (!anew && el.drawnText === text) return;
  let c; try { c = JSON.parse(text); } catch { return; }
  el.drawnText = text;
  if (!c.times || c.times.length < 2) return;
  const data = [c.times, ...c.series.map(s => s.values), ...(c.marks || []).map(m => c.times.map(() => m.value))];
  if (el.plot && !anew) { el.plot.setData(data); return; }
  el.plot?.destroy(); el.replaceChildren();
  const say = units[c.unit] || units[''], axis = {stroke: colour('--muted'), grid: {stroke: colour('--line'), width: 1}, ticks: {show: false}, font: '11px system-ui'};
  const zone = html.dataset.zone, times = o => new Intl.DateTimeFormat('en-GB', {timeZone: zone, hourCycle: 'h23', ...o});
  const day = {day: 'numeric', month: 'short'}, minute = {hour: '2-digit', minute: '2-digit'}, second = {...minute, second: '2-digit'};
  const span = () => { const t = el.plot?.data[0] || c.times; return t[t.length - 1] - t[0]; }, date = (f, v) => f.format(new Date(v * 1e3)).replace(',', '');
  el.plot = new uPlot({
    width: el.clientWidth || 400, height: 150, tzDate: ts => uPlot.tzDate(new Date(ts * 1e3), zone), legend: {show: true, live: true},
    scales: {y: {range: (_, lo, hi) => [0, Math.max(hi * 1.08, c.unit === 'count' ? 4 : 0.1)]}},
    axes: [{...axis, size: 26, space: () => span() > 86400 ? 90 : 64,
      values: (_, vs, __, ___, step) => { const f = times(step >= 86400 ? day : span() > 86400 ? {...day, ...minute} : step >= 60 ? minute : second); return vs.map(v => date(f, v)); }}, {...axis, size: c.unit === 'bytes' ? 68 : c.unit === 'seconds' ? 58 : 44, values: (_, vs) => vs.map(say)}],
    series: [{value: (_, v) => v ? date(times({...day, ...second}), v) + ' ' + zone : '–'},
      ...c.series.map(s => ({label: s.label, stroke: colour('--c-' + s.class), width: 2, fill: colour('--c-' + s.class) + '22', points: {show: false}, value: (_, v) => v == null ? '–' : say(v)})),
      ...(c.marks || []).map(m => ({label: m.label, stroke: colour('--muted'), dash: [4, 4], width: 1, points: {show: false}, value: (_, v) => v == null ? '–' : say(v)}))],
  }, data, el);
}
function drawAll(anew) { for (const el of $$('[data-chart]')) draw(el, anew); }
addEventListener('resize', () => { for (const el of $$('[data-chart]')) el.plot?.setSize({width: el.clientWidth, height: 150}); });
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => drawAll(true));

// --- Logs ---
const keepLines = 2000;
function openLogs() { for (const box of $$('[data-log]')) if (!box.opened) { box.opened = true; openLog(box); } }
function openLog(box) {
  const log = $('.log', box), lines = $('.lines', box), follow = $('[data-follow]', box), wrap = $('[data-wrap]', box), times = $('[data-times]', box), find = $('[data-find]', box), foundText = $('[data-found]', box);
  for (const e of $$('[data-wrap],[data-times],[data-follow],[data-find]', box)) e.hidden = false;
  let following = !/^#L\d+$/.test(location.hash) && box.dataset.ended !== 'true', pause = 500;
  const setFollow = on => { following = on; follow.setAttribute('aria-pressed', String(on)); if (on) log.scrollTop = log.scrollHeight; };
  setFollow(following);
  if (box.dataset.ended === 'true' && !location.hash) log.scrollTop = log.scrollHeight;
  follow.onclick = () => setFollow(!following);
  log.addEventListener('wheel', e => { if (e.deltaY < 0) setFollow(false); }, {passive: true});
  log.addEventListener('scroll', () => { if (!following && box.dataset.ended !== 'true' && log.scrollTop + log.clientHeight >= log.scrollHeight - 4) setFollow(true); }, {passive: true});
  const setWrap = on => { box.classList.toggle('nowrap', !on); wrap.setAttribute('aria-pressed', String(on)); stored('rota-wrap', on ? '1' : '0'); };
  setWrap(stored('rota-wrap') !== '0');
  wrap.onclick = () => setWrap(box.classList.contains('nowrap'));
  times.onclick = () => { const on = box.classList.toggle('times'); times.setAttribute('aria-pressed', String(on)); };
  const piece = async query => {
    const r = await fetch(box.dataset.log + query, {headers: {'HX-Request': 'true', 'HX-Request-Type': 'partial'}});
    if (!r.ok) throw new Error(r.status);
    const t = document.createElement('template'); t.innerHTML = await r.text();
    return t.content.querySelector('.piece');
  };
  const earlierTo = first => {
    let p = $('.earlier', box);
    if (first <= 0) { p?.remove(); return; }
    if (!p) { p = document.createElement('p'); p.className = 'earlier'; const a = document.createElement('a'); a.href = '#'; a.dataset.earlier = ''; a.textContent = 'Load earlier lines'; p.append(a); log.prepend(p); }
    box.dataset.first = first;
  };
  log.addEventListener('click', async e => {
    if (!e.target.closest('[data-earlier]')) return;
    e.preventDefault();
    setFollow(false);
    const got = await piece('&to=' + box.dataset.first);
    const before = log.scrollHeight;
    lines.prepend(...got.childNodes);
    log.scrollTop += log.scrollHeight - before;
    earlierTo(+got.dataset.first);
    lines.more = (lines.more || 0) + 1;
  });
  const stamp = () => new Date().toLocaleTimeString([], {hour12: false, timeZone: html.dataset.zone}) + ' ' + html.dataset.zone;
  const poll = async () => {
    if (!box.isConnected || box.dataset.ended === 'true') return;
    if (document.hidden) { setTimeout(poll, 1000); return; }
    try {
      const got = await piece('&from=' + box.dataset.next);
      const fresh = [...got.children], moved = got.dataset.next !== box.dataset.next || fresh.some(l => l.classList.contains('open'));
      const open = $('.ln.open', lines), at = stamp();
      if (fresh.length) {
        const was = open?.dataset.at;
        if (open && +open.id.slice(1) >= +fresh[0].id.slice(1)) open.remove();
        fresh.forEach((l, i) => { l.dataset.at = i === 0 && was || at; });
        const last = lines.lastElementChild, n = last && +$('.no', last)?.textContent;
        if (n) fresh.forEach((l, i) => { $('.no', l).textContent = n + 1 + i; });
        else if (!last && box.dataset.first === '0') fresh.forEach((l, i) => { $('.no', l).textContent = 1 + i; });
        lines.append(...fresh);
        $('.empty', box)?.remove();
      }
      const most = keepLines * (1 + (lines.more || 0));
      if (following && lines.childElementCount > most) {
        while (lines.childElementCount > keepLines) lines.firstElementChild.remove();
        lines.more = 0; earlierTo(+lines.firstElementChild.id.slice(1));
      }
      box.dataset.next = got.dataset.next;
      box.dataset.ended = got.dataset.ended;
      $('[data-logstate]', box).textContent = got.dataset.ended === 'true' ? got.dataset.size : 'live, ' + got.dataset.size;
      if (following) log.scrollTop = log.scrollHeight;
      pause = moved && fresh.length ? 400 : Math.min(pause * 1.4, 3000);
    } catch { pause = 4000; }
    setTimeout(poll, pause);
  };
  if (box.dataset.ended !== 'true') setTimeout(poll, pause);
  let hits = [], hit = -1;
  const search = () => {
    for (const l of hits) l.classList.remove('hit', 'now');
    const text = find.value.toLowerCase();
    hits = text ? [...lines.children].filter(l => $('.tx', l)?.textContent.toLowerCase().includes(text)) : [];
    for (const l of hits) l.classList.add('hit');
    hit = -1; foundText.hidden = !text; foundText.textContent = hits.length + ' lines';
    if (hits.length) step(1);
  };
  const step = by => { if (!hits.length) return; setFollow(false); hits[hit]?.classList.remove('now'); hit = (hit + by + hits.length) % hits.length; hits[hit].classList.add('now'); hits[hit].scrollIntoView({block: 'center'}); foundText.textContent = `${hit + 1} of ${hits.length} lines`; };
  find.addEventListener('input', () => { clearTimeout(search.timer); search.timer = setTimeout(search, 150); });
  find.addEventListener('keydown', e => { if (e.key === 'Enter') { e.preventDefault(); if (hits.length) step(e.shiftKey ? -1 : 1); else search(); } });
  const target = () => {
    for (const l of $$('.ln.target', lines)) l.classList.remove('target');
    const m = location.hash.match(/^#L(\d+)$/), l = m && document.getElementById('L' + m[1]);
    if (l) { setFollow(false); l.classList.add('target'); l.scrollIntoView({block: 'center'}); }
    else if (m && !box.sought) { box.sought = true; piece('&from=' + m[1]).then(got => { lines.replaceChildren(...got.childNodes); box.dataset.next = got.dataset.next; earlierTo(+m[1]); target(); }, () => {}); }
  };
  addEventListener('hashchange', target);
  target();
}

drawAll(); openLogs(); picked();
$('[data-at-once]')?.requestSubmit();
html.dataset.ready = '';
})();
