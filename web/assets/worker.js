// One event stream for all tabs of a browser: browsers open six connections to a server at most. Tabs say which of them
// are seen; while none is, there is no stream.
'use strict';
const tabs = new Map(); // port -> seen
let source = null, last = '', url = '';

function update() {
  const wanted = url && [...tabs.values()].some(Boolean);
  if (!wanted && source) { source.close(); source = null; }
  if (!wanted || source) return;
  source = new EventSource(url + (last ? '?last=' + encodeURIComponent(last) : ''));
  source.addEventListener('hello', e => { last = e.lastEventId; tell({state: 'live'}); });
  source.addEventListener('changed', e => { last = e.lastEventId; tell({state: 'live', topics: e.data.split(' ')}); });
  source.addEventListener('out', () => { source.close(); source = null; tell({state: 'out'}); });
  source.onerror = () => {
    tell({state: 'broken'});
    if (source && source.readyState === EventSource.CLOSED) { // refused: the browser does not try again by itself
      source = null;
      setTimeout(update, 3000);
    }
  };
}

function tell(message) { for (const port of tabs.keys()) port.postMessage(message); }

self.onconnect = event => {
  const port = event.ports[0];
  port.onmessage = ({data}) => {
    if (data.url) url = data.url;
    if (data.gone) tabs.delete(port); else tabs.set(port, data.seen);
    update();
    if (source && source.readyState === EventSource.OPEN && !data.gone) port.postMessage({state: 'live'});
  };
};
