// Asking the server, and listening to it.
export class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

async function ask(path, options) {
  let response;
  try {
    response = await fetch(path, { credentials: 'same-origin', ...options });
  } catch {
    throw new Refusal(0, 'The server does not answer.');
  }
  const text = await response.text();
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    body = {};
  }
  if (!response.ok) throw new Refusal(response.status, body.error ?? `The server answers ${response.status}.`);
  return body;
}

export const get = path => ask(path);
export const post = (path, body) => ask(path, {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body),
});
export const remove = path => ask(path, { method: 'DELETE' });
export const runPath = (name, rest = '') => `/api/runs/${encodeURIComponent(name)}${rest}`;

const banner = document.getElementById('connection');
function showConnection(text) {
  banner.hidden = !text;
  if (banner.textContent !== text) banner.textContent = text;
}

// The server says something every 15 s: a connection that is silent for longer leads nowhere, as after a machine has slept.
const longestSilence = 45_000;

// Listens until it is told to stop; a connection that breaks is made again, at first at once and then more slowly.
export function listen(path, handlers, onRefused) {
  let source, timer, heard, wait = 500, isStopped = false, isOver = false;
  const watch = setInterval(() => { if (performance.now() - heard > longestSilence) lost(); }, 5_000);

  function open() {
    clearTimeout(timer);
    heard = performance.now();
    source = new EventSource(path);
    for (const [name, handle] of Object.entries(handlers)) {
      source.addEventListener(name, event => {
        heard = performance.now();
        wait = 500;
        showConnection('');
        if (name === 'end' || name === 'gone') close();
        handle(JSON.parse(event.data));
      });
    }
    source.onerror = async () => {
      source.close();
      if (isStopped || isOver) return;
      showConnection('Connection lost. Trying again …');
      // An event source does not say why it was refused; asking once does.
      const refused = navigator.onLine === false ? null : await whyRefused();
      if (isStopped) return;
      if (refused) {
        showConnection('');
        onRefused(refused);
        return;
      }
      timer = setTimeout(open, wait);
      wait = Math.min(wait * 2, 10_000);
    };
  }

  async function whyRefused() {
    try {
      const session = await get('/api/session');
      if (!session.mayRead) return new Refusal(401, 'A key is needed.');
      await ask(path, { method: 'HEAD' });
    } catch (refusal) {
      if (refusal.status >= 400 && refusal.status < 500 && refusal.status !== 429) return refusal;
    }
    return null;
  }

  function close() {
    isOver = true;
    source.close();
  }

  const again = () => { if (!isStopped && !isOver && source.readyState === EventSource.CLOSED) open(); };
  // Long before a connection without a network is found to be broken.
  const lost = () => { if (!isStopped && !isOver && source.readyState !== EventSource.CLOSED) source.onerror(); };
  window.addEventListener('online', again);
  window.addEventListener('offline', lost);
  open();
  return () => {
    isStopped = true;
    clearTimeout(timer);
    clearInterval(watch);
    window.removeEventListener('online', again);
    window.removeEventListener('offline', lost);
    source.close();
    showConnection('');
  };
}
