// Ties the tables to the page: unpacks them when they come near, keeps the state in the address, opens rows, prints.

const words = JSON.parse(document.getElementById('words').textContent);
const places = [...document.querySelectorAll('[data-table]')];
const dialog = document.getElementById('detail');

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
    }
    addEventListener('hashchange', () => this.recall(true));
    addEventListener('beforeprint', () => this.grids.forEach((grid) => grid.print()));
    addEventListener('afterprint', () => this.grids.forEach((grid) => grid.paint(true)));
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
  }

  load(key) {
    if (!this.loading.has(key)) this.loading.set(key, this.unfold(key));
    return this.loading.get(key);
  }

  async unfold(key) {
    const root = places.find((place) => place.dataset.table === key);
    const island = document.getElementById(`data-${key}`);
    if (!root || !island) return null;
    if (typeof DecompressionStream === 'undefined') {
      root.textContent = 'This browser cannot unpack the table. A browser of 2023 or later can; the workbook holds the same rows.';
      return null;
    }
    const grid = new Grid(root, new Store(await unpack(JSON.parse(island.textContent)), words.orders), this);
    root.style.minHeight = '';
    this.grids.set(key, grid);
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
