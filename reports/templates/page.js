// Ties the tables to the page: unpacks them, keeps the state in the address, opens rows, prints.

// What the tables look up: capabilities, causes, the order of words.
let words = null;
const places = [...document.querySelectorAll('[data-table]')];
const dialog = document.getElementById('detail');
// Rows of all tables together that are unpacked without being asked for; the rest waits until it comes near.
const UNASKED = 50000;
const idle = globalThis.requestIdleCallback ?? ((work) => setTimeout(work, 1));

class Page {
  constructor() {
    this.grids = new Map();
    this.opened = null;
    this.loading = new Map();
    const near = new IntersectionObserver((entries) => {
      for (const entry of entries) if (entry.isIntersecting) this.load(entry.target.dataset.table);
    }, { rootMargin: '600px' });
    for (const place of places) {
      // Room for the table before it is unpacked, so that what is below stays where it is.
      place.style.minHeight = `${Math.min(660, place.dataset.rows * 60) + 200}px`;
      near.observe(place);
      place.replaceChildren(make('p', { className: 'fallback', textContent:
        `${counted(Number(place.dataset.rows), 'row', 'rows')}, not unpacked yet. The same rows are on the sheet “${place.dataset.sheet}” of the workbook.` }));
    }
    addEventListener('hashchange', () => this.recall(true));
    this.printed = false;
    addEventListener('beforeprint', () => this.print(true));
    addEventListener('afterprint', () => this.print(false));
    matchMedia('print').addEventListener('change', (event) => this.print(event.matches));
    document.querySelectorAll('nav a').forEach((link) => link.addEventListener('click', (event) => {
      event.preventDefault();
      this.jump(document.querySelector(link.getAttribute('href')));
    }));
    dialog.querySelector('.close').addEventListener('click', () => dialog.close());
    dialog.querySelector('.previous').addEventListener('click', () => this.step(-1));
    dialog.querySelector('.next').addEventListener('click', () => this.step(1));
    dialog.addEventListener('click', (event) => { if (event.target === dialog) dialog.close(); });
    dialog.addEventListener('close', () => {
      const was = this.opened;
      if (!was) return;
      this.opened = null;
      this.remember();
      was.grid.focus(was.at);
    });
    dialog.querySelector('.findings').addEventListener('click', () => {
      const { grid, at } = this.opened;
      const q = grid.store.text(grid.store.layout.findings, grid.store.rows[at]);
      this.opened = null;
      dialog.close();
      this.show('expansions', { q, sort: '', picks: new Map(), open: '' }, true).then(() => this.remember());
    });
    this.recall(false);
    this.unpackInTurn();
  }

  // Everything that fits, the small tables first, so that printing and the browser's search find the rows.
  unpackInTurn() {
    let left = UNASKED;
    const waiting = [...places].sort((a, b) => a.dataset.rows - b.dataset.rows)
      .filter((place) => { left -= Number(place.dataset.rows); return left >= 0; });
    const next = () => {
      const place = waiting.shift();
      if (place) this.load(place.dataset.table).then(() => idle(next));
    };
    idle(next);
  }

  print(on) {
    if (on === this.printed) return;
    this.printed = on;
    this.grids.forEach((grid) => (on ? grid.print() : grid.paint(true)));
  }

  load(key) {
    if (!this.loading.has(key)) this.loading.set(key, this.unfold(key));
    return this.loading.get(key);
  }

  async fetch(key) {
    const island = document.getElementById(`data-${key}`);
    return island && unpack(JSON.parse(island.textContent));
  }

  async unfold(key) {
    const root = places.find((place) => place.dataset.table === key);
    if (!root || !document.getElementById(`data-${key}`)) return null;
    if (typeof DecompressionStream === 'undefined') {
      root.textContent = 'This browser cannot unpack the table. A browser of 2023 or later can; the workbook holds the same rows.';
      return null;
    }
    this.words ??= this.fetch('words').then((found) => { words = found; });
    await this.words;
    this.pool ??= this.fetch('pool').then(async (pool) => new Pool(pool, await this.fetch('people') ?? []));
    const grid = new Grid(root, new Store(await this.fetch(key), words.orders, await this.pool), this);
    root.style.minHeight = '';
    this.grids.set(key, grid);
    if (this.printed) grid.print();
    return grid;
  }

  async jump(target) {
    const above = places.filter((place) => place.compareDocumentPosition(target) & Node.DOCUMENT_POSITION_FOLLOWING);
    await Promise.all(above.map((place) => this.load(place.dataset.table)));
    target.scrollIntoView({ behavior: 'instant' });
    target.focus({ preventScroll: true });
  }

  remember() {
    const state = new URLSearchParams();
    for (const [key, { store }] of this.grids) {
      if (store.state.q) state.set(`${key}.q`, store.state.q);
      if (store.state.sort) state.set(`${key}.sort`, store.state.sort);
      for (const [facet, picked] of store.state.picks) for (const name of picked) state.append(`${key}.${facet}`, name);
    }
    if (this.opened) {
      const { grid, at } = this.opened;
      const by = grid.store.layout.open;
      if (by) state.set(`${grid.store.key}.open`, grid.store.text(by, grid.store.rows[at]));
    }
    const hash = state.toString();
    history.replaceState(null, '', hash ? `#${hash}` : location.pathname + location.search);
  }

  async recall(jump) {
    const hash = location.hash.slice(1);
    if (!hash.includes('=')) return;
    const wanted = new Map();
    for (const [name, value] of new URLSearchParams(hash)) {
      const dot = name.indexOf('.');
      const key = name.slice(0, dot);
      if (!wanted.has(key)) wanted.set(key, { q: '', sort: '', picks: new Map(), open: '' });
      const state = wanted.get(key);
      const field = name.slice(dot + 1);
      if (['q', 'sort', 'open'].includes(field)) state[field] = value;
      else state.picks.set(field, (state.picks.get(field) ?? new Set()).add(value));
    }
    for (const [key, state] of wanted) await this.show(key, state, jump || wanted.size === 1);
  }

  async show(key, state, jump) {
    const grid = await this.load(key);
    if (!grid) return;
    grid.apply(state);
    if (jump) await this.jump(grid.root.closest('section'));
    const { store } = grid;
    const at = state.open ? store.rows.indexOf(store.find(store.layout.open, state.open)) : -1;
    if (at >= 0) this.open(grid, at);
  }

  open(grid, at) {
    const row = grid.store.rows[at];
    if (row === undefined) return;
    this.opened = { grid, at };
    fill(dialog, grid.store, row);
    dialog.querySelector('.previous').disabled = at === 0;
    dialog.querySelector('.next').disabled = at === grid.store.rows.length - 1;
    dialog.querySelector('.where').textContent = `${(at + 1).toLocaleString('en')} of ${grid.store.rows.length.toLocaleString('en')}`;
    dialog.querySelector('.findings').hidden = !grid.store.layout.findings;
    if (!dialog.open) dialog.showModal();
    dialog.querySelector('.content').scrollTop = 0;
    this.remember();
  }

  step(by) {
    const { grid, at } = this.opened;
    grid.focused = at + by;
    this.open(grid, at + by);
  }
}

document.documentElement.classList.add('scripted');
new Page();
