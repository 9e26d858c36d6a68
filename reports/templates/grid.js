// One table on the page: toolbar, facets, a window of rows, keyboard. Text goes in by textContent only.

const SVG = 'http://www.w3.org/2000/svg';
const TALLEST = 8e6;
const PRINTED = 100;
// Up to so many rows all of them stand in the page, so that the browser's own search finds them.
const WHOLE = 80;
const FACET_NAMES = 8;

function make(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node && name !== 'list') node[name] = value; else node.setAttribute(name, value);
  }
  node.append(...children.filter((child) => child !== null));
  return node;
}

function slug(word) { return word.toLowerCase().replace(/[^a-z0-9]/g, '-'); }

function icon(name) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('class', 'icon');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `#i-${slug(name)}`);
  svg.append(use);
  return svg;
}

function counted(count, one, many) { return `${count.toLocaleString('en')} ${count === 1 ? one : many}`; }

function isolated(text) { return make('bdi', { textContent: text }); }

function badge(kind, word) {
  return make('span', { className: `${kind} ${kind}-${slug(word)}` }, icon(word), make('span', { textContent: word }));
}

function shown(store, key, row) {
  const column = store.columns.get(key);
  const value = store.value(key, row);
  if (column.kind === 'severity' || column.kind === 'verdict') return badge(column.kind, value);
  if (column.kind === 'number') return make('span', { className: value ? 'n' : 'n zero', textContent: value.toLocaleString('en') });
  if (column.kind === 'flag') return make('span', { textContent: value ? 'yes' : 'no' });
  if (Array.isArray(value)) {
    const more = value.length > 1 ? make('span', { className: 'more', textContent: `+${value.length - 1}` }) : null;
    return make('span', { className: more ? 'many' : '' }, isolated(value[0] ?? '—'), more);
  }
  const said = key === 'last_login' ? value.slice(0, 10) : value;
  return make('span', { className: column.kind === 'id' ? 'mono' : '' }, isolated(said || '—'));
}

class Grid {
  constructor(root, store, page) {
    Object.assign(this, { root, store, page, focused: 0, expanded: new Set() });
    this.phone = matchMedia('(max-width: 720px)');
    this.build();
    this.phone.addEventListener('change', () => this.paint(true));
    addEventListener('resize', () => this.paint(true));
  }

  build() {
    const label = this.root.dataset.label;
    this.search = make('input', { type: 'search', placeholder: 'Search name, folder, action…', autocomplete: 'off', spellcheck: false });
    this.search.setAttribute('aria-label', `Search ${label.toLowerCase()}`);
    this.search.addEventListener('input', () => { this.store.state.q = this.search.value; this.changed(); });
    this.status = make('p', { className: 'status', role: 'status' });
    this.clear = make('button', { type: 'button', className: 'quiet', textContent: 'Clear filters' });
    this.clear.addEventListener('click', () => this.reset());
    const save = make('button', { type: 'button', textContent: 'Export what I see (CSV)' });
    save.addEventListener('click', () => this.export());
    this.facets = make('div', { className: 'facets' });
    const filters = make('details', { className: 'filters', open: !this.phone.matches }, make('summary', { textContent: 'Filters' }), this.facets);
    this.head = make('div', { className: 'row head', role: 'row' });
    this.body = make('div', { className: 'rows', role: 'presentation' });
    this.scroller = make('div', { className: 'scroller', role: 'rowgroup', tabIndex: -1 }, this.body);
    this.grid = make('div', { className: `grid grid-${this.store.key}`, role: 'grid' }, make('div', { role: 'rowgroup' }, this.head), this.scroller);
    this.grid.setAttribute('aria-label', label);
    this.scroller.addEventListener('scroll', () => this.paint(false), { passive: true });
    this.body.addEventListener('click', (event) => this.clicked(event));
    this.body.addEventListener('keydown', (event) => this.key(event));
    this.empty = make('p', { className: 'empty', hidden: true, textContent: 'No row fits these filters.' });
    this.root.replaceChildren(
      make('div', { className: 'toolbar' }, this.search, this.status, make('span', { className: 'buttons' }, this.clear, save)),
      filters, this.grid, this.empty);
    this.heads();
    this.refresh();
  }

  heads() {
    const { sort } = this.store.state;
    this.head.replaceChildren(...this.store.layout.show.map(([label, key, , grow]) => {
      const button = make('button', { type: 'button' }, make('span', { textContent: label }));
      const direction = sort === key ? 'ascending' : sort === `-${key}` ? 'descending' : 'none';
      if (direction !== 'none') button.append(icon(direction));
      button.addEventListener('click', () => {
        this.store.sortBy(sort === key ? `-${key}` : sort === `-${key}` ? '' : key);
        this.heads();
        this.changed();
      });
      const cell = make('div', { className: `cell kind-${this.store.columns.get(key).kind}`, role: 'columnheader' }, button);
      cell.setAttribute('aria-sort', direction);
      cell.style.flexGrow = grow;
      return cell;
    }));
  }

  changed() {
    this.focused = 0;
    this.scroller.scrollTop = 0;
    this.refresh();
    this.page.remember();
  }

  refresh() {
    this.store.refresh();
    const { rows, size, state } = this.store;
    const all = size.toLocaleString('en');
    this.status.textContent = rows.length === size ? counted(size, 'row', 'rows') : `${rows.length.toLocaleString('en')} of ${all} rows`;
    this.clear.hidden = !state.q && ![...state.picks.values()].some((picked) => picked.size);
    this.empty.hidden = rows.length > 0;
    this.grid.hidden = rows.length === 0;
    this.grid.setAttribute('aria-rowcount', rows.length + 1);
    this.choices();
    this.paint(true);
  }

  choices() {
    this.facets.replaceChildren(...this.store.facets.map((facet, at) => this.choice(facet, this.store.counts[at])));
  }

  choice(facet, counts) {
    const picked = this.store.state.picks.get(facet.key) ?? new Set();
    const order = this.store.orders[facet.column.kind];
    const names = facet.names.map((name, at) => ({ name, count: counts[at] }))
      .sort((a, b) => (order ? order.indexOf(a.name) - order.indexOf(b.name) : b.count - a.count || collator.compare(a.name, b.name)));
    const few = this.expanded.has(facet.key) ? names : names.filter(({ name }, at) => at < FACET_NAMES || picked.has(name));
    const group = make('div', { className: 'facet', role: 'group' }, make('span', { className: 'legend', textContent: facet.column.label }));
    group.setAttribute('aria-label', facet.column.label);
    for (const { name, count } of few) group.append(this.chip(facet, picked, name, count));
    if (few.length < names.length) {
      const more = make('button', { type: 'button', className: 'quiet', textContent: `${names.length - few.length} more` });
      more.addEventListener('click', () => { this.expanded.add(facet.key); this.choices(); });
      group.append(more);
    }
    return group;
  }

  chip(facet, picked, name, count) {
    const kind = facet.column.kind;
    const chip = make('button', { type: 'button', className: `chip${count ? '' : ' none'}` },
      ...(kind === 'severity' || kind === 'verdict' ? [icon(name)] : []),
      isolated(name || 'none'), make('span', { className: 'count', textContent: count.toLocaleString('en') }));
    chip.setAttribute('aria-pressed', String(picked.has(name)));
    chip.addEventListener('click', () => {
      if (!picked.delete(name)) picked.add(name);
      this.store.state.picks.set(facet.key, picked);
      this.changed();
      const again = [...this.facets.querySelectorAll('.chip')].find((other) => other.dataset.name === `${facet.key}=${name}`);
      again?.focus();
    });
    chip.dataset.name = `${facet.key}=${name}`;
    return chip;
  }

  reset() {
    this.store.state.q = '';
    this.store.state.picks.clear();
    this.search.value = '';
    this.changed();
    this.search.focus();
  }

  apply({ q, sort, picks }) {
    Object.assign(this.store.state, { q, picks });
    this.search.value = q;
    this.store.sortBy(sort);
    this.heads();
    this.refresh();
  }

  height() { return this.phone.matches ? 120 : 60; }

  paint(fresh) {
    const { rows } = this.store;
    const height = this.height();
    const total = rows.length * height;
    const canvas = Math.min(total, TALLEST);
    const view = Math.min(canvas, this.phone.matches ? 540 : 660);
    this.scroller.style.height = `${view}px`;
    this.body.style.height = `${canvas}px`;
    const reach = canvas - view;
    const share = reach > 0 ? this.scroller.scrollTop / reach : 0;
    const whole = rows.length <= WHOLE;
    const first = whole ? 0 : Math.max(0, Math.floor((share * (total - view)) / height) - 4);
    if (!fresh && first === this.first) return;
    this.first = first;
    const last = whole ? rows.length : Math.min(rows.length, first + Math.ceil(view / height) + 8);
    const offset = total > TALLEST ? this.scroller.scrollTop - Math.min(4, first) * height : first * height;
    this.grid.style.setProperty('--bar', `${this.scroller.offsetWidth - this.scroller.clientWidth}px`);
    const held = document.activeElement?.closest?.('.row') && this.body.contains(document.activeElement);
    this.body.replaceChildren(...rows.slice(first, last).map((row, at) => this.row(row, first + at, offset + at * height, height)));
    if (held) this.body.querySelector('[tabindex="0"]')?.focus({ preventScroll: true });
  }

  row(row, at, top, height) {
    const node = make('div', { className: 'row', role: 'row', tabIndex: at === this.focused ? 0 : -1 });
    node.dataset.at = at;
    node.setAttribute('aria-rowindex', at + 2);
    node.style.transform = `translateY(${top}px)`;
    node.style.height = `${height}px`;
    this.dress(node, row);
    return node;
  }

  dress(node, row, tag = 'div') {
    const { layout, columns } = this.store;
    const verdict = ['verdict', 'outcome'].find((key) => columns.has(key));
    if (verdict) node.classList.add(`is-${slug(this.store.value(verdict, row))}`);
    for (const [label, key, beneath, grow] of layout.show) {
      const cell = make(tag, { className: `cell kind-${columns.get(key).kind} at-${key.replaceAll('_', '-')}`, role: 'gridcell', title: this.store.text(key, row) }, shown(this.store, key, row));
      const second = this.beneath(key, beneath, row);
      if (second) cell.append(make('span', { className: 'beneath' }, isolated(second)));
      cell.dataset.label = label;
      cell.style.flexGrow = grow;
      if (!layout.phone.includes(key) && !['severity', 'verdict', 'outcome'].includes(key)) cell.classList.add('wide');
      node.append(cell);
    }
  }

  beneath(key, keys, row) {
    const parts = [].concat(keys || []).map((each) => {
      if (this.store.columns.get(each).kind !== 'number') return this.store.text(each, row);
      const count = this.store.value(each, row);
      return count ? `and ${counted(count, 'other', 'others')}` : '';
    });
    return parts.filter((part) => part && part !== this.store.text(key, row)).join(', ');
  }

  clicked(event) {
    const row = event.target.closest('.row');
    if (!row) return;
    this.focus(Number(row.dataset.at));
    this.page.open(this, Number(row.dataset.at));
  }

  key(event) {
    const jump = Math.floor(this.scroller.clientHeight / this.height()) || 1;
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: jump, PageUp: -jump, Home: -Infinity, End: Infinity };
    if (event.key in moves) {
      event.preventDefault();
      this.focus(this.focused + moves[event.key]);
    } else if (event.key === 'Enter' || event.key === ' ') {
      event.preventDefault();
      this.page.open(this, this.focused);
    }
  }

  focus(at) {
    const count = this.store.rows.length;
    this.focused = Math.max(0, Math.min(count - 1, at));
    const height = this.height();
    const top = this.focused * height;
    const view = this.scroller.clientHeight;
    const scale = Math.min(1, TALLEST / (count * height));
    if (top * scale < this.scroller.scrollTop) this.scroller.scrollTop = top * scale;
    else if ((top + height) * scale > this.scroller.scrollTop + view) this.scroller.scrollTop = (top + height) * scale - view;
    this.paint(false);
    for (const row of this.body.querySelectorAll('[tabindex="0"]')) row.tabIndex = -1;
    const row = this.body.querySelector(`[data-at="${this.focused}"]`);
    if (!row) return;
    row.tabIndex = 0;
    row.focus({ preventScroll: true });
  }

  export() {
    const place = URL.createObjectURL(new Blob([this.store.csv()], { type: 'text/csv;charset=utf-8' }));
    const link = make('a', { href: place, download: `${this.store.key}.csv` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(place), 10000);
  }

  // On paper the rows are a table, whose head stands on every page.
  print() {
    const { rows, layout, columns } = this.store;
    this.scroller.style.height = 'auto';
    this.body.style.height = 'auto';
    const heads = layout.show.map(([label, key, , grow]) => {
      const { kind } = columns.get(key);
      const head = make('th', { className: `cell kind-${kind}`, textContent: label });
      head.style.width = `${Math.max(grow, kind === 'verdict' ? 1.9 : 1.4)}cm`;
      return head;
    });
    const lines = rows.slice(0, PRINTED).map((row) => {
      const node = make('tr', { className: 'row printed' });
      this.dress(node, row, 'td');
      return node;
    });
    const left = rows.length - PRINTED;
    this.body.replaceChildren(
      make('table', { className: 'paper' }, make('thead', {}, make('tr', {}, ...heads)), make('tbody', {}, ...lines)),
      ...(left > 0 ? [make('p', { className: 'note', textContent: `${counted(left, 'more row is', 'more rows are')} in the workbook and not printed here.` })] : []));
  }
}
