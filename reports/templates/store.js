// Unpack a table, filter it, count its facets, sort it. Touches no document.

// The kinds of columns whose values are lists.
const LISTS = ['lines', 'list', 'capabilities', 'people'];
// What is looked for among the ids of findings: the first five places of one, or more.
const IDENTIFIER = /^f[0-9a-f]{4,12}$/;

// The letters of base 85 as Python has them, with three that are safe in HTML.
const LETTERS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%,()*+-;.=/?@^_`{|}~';

function bytesOf(text) {
  const value = new Uint8Array(128);
  [...LETTERS].forEach((letter, at) => { value[letter.charCodeAt(0)] = at; });
  const padded = text.padEnd(Math.ceil(text.length / 5) * 5, '~');
  const view = new DataView(new ArrayBuffer((padded.length / 5) * 4));
  for (let at = 0, to = 0; at < padded.length; at += 5, to += 4) {
    let word = 0;
    for (let letter = at; letter < at + 5; letter += 1) word = word * 85 + value[padded.charCodeAt(letter)];
    view.setUint32(to, word);
  }
  return new Uint8Array(view.buffer, 0, Math.floor((text.length * 4) / 5));
}

async function unpack(text) {
  const stream = new Blob([bytesOf(text)]).stream().pipeThrough(new DecompressionStream('gzip'));
  return JSON.parse(await new Response(stream).text());
}

// Numbers that were written as steps from one to the next.
function climb(steps) {
  const numbers = Int32Array.from(steps);
  for (let at = 1; at < numbers.length; at += 1) numbers[at] += numbers[at - 1];
  return numbers;
}

// Numbers as they are after a 0, and as steps after a 1.
function listed([inSteps, ...numbers]) { return inSteps ? climb(numbers) : Int32Array.from(numbers); }

// Every text and list of the page, once. Columns name them by number; a search looks at each of them once.
class Pool {
  constructor({ texts, lists }, people) {
    this.texts = texts;
    this.lists = lists.map(climb);
    this.people = people;
  }

  // The list that a number in a column stands for: lines have twice the number of their only text, or
  // twice that of a list and one.
  list(kind, number) {
    if (kind !== 'lines' && kind !== 'list') return this.lists[number];
    return number % 2 ? this.lists[(number - 1) / 2] : [number / 2];
  }

  // The texts of a list: lines as they are, people by name.
  parts(kind, number) {
    const list = this.list(kind, number);
    if (kind === 'capabilities') return Array.from(list);
    return Array.from(list, (at) => this.texts[kind === 'people' ? this.people[at][0] : at]);
  }

  // Every text in one, so that a search is one run of the browser's own search and not one for each text.
  prepare() {
    const lower = this.texts.map((text) => text.toLowerCase());
    this.whole = lower.join('\n');
    this.starts = new Int32Array(lower.length + 1);
    for (let at = 0; at < lower.length; at += 1) this.starts[at + 1] = this.starts[at] + lower[at].length + 1;
  }

  // For every text 1 where the term is in it; a term has no line feed, and neither has a text.
  hits(term) {
    if (!this.whole) this.prepare();
    const { whole, starts } = this;
    const hits = new Uint8Array(this.texts.length);
    let text = 0;
    for (let found = whole.indexOf(term); found >= 0; found = whole.indexOf(term, starts[text])) {
      while (starts[text + 1] <= found) text += 1;
      hits[text] = 1;
      text += 1;
    }
    return hits;
  }

  // For every value of a column 1 where the term was found in it.
  found(column, hits) {
    if (!LISTS.includes(column.kind)) return Uint8Array.from(column.pooled, (number) => hits[number]);
    const wanted = column.kind === 'people' ? this.named(hits) : hits;
    const lines = column.kind === 'lines' || column.kind === 'list';
    const values = new Uint8Array(column.pooled.length);
    for (let at = 0; at < values.length; at += 1) {
      const number = column.pooled[at];
      if (lines && number % 2 === 0) { values[at] = wanted[number / 2]; continue; }
      const list = this.lists[lines ? (number - 1) / 2 : number];
      for (let part = 0; part < list.length; part += 1) {
        if (wanted[list[part]]) { values[at] = 1; break; }
      }
    }
    return values;
  }

  // For every principal 1 where the term is in its name, address or id.
  named(hits) {
    return Uint8Array.from(this.people, (about) => Number(about.some((at) => hits[at])));
  }
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });

class Store {
  constructor(document, orders, pool) {
    this.key = document.key;
    this.size = document.rows;
    this.layout = document.layout;
    this.pool = pool;
    const keys = document.keys.map(listed);
    for (const column of document.columns) {
      column.indexes = keys[column.by];
      if (column.numbers) {
        const numbers = climb(column.numbers);
        column.numbers = Int32Array.from(column.indexes, (at) => numbers[at]);
        continue;
      }
      column.pooled = climb(column.values);
      const read = LISTS.includes(column.kind) ? (number) => pool.parts(column.kind, number) : (number) => pool.texts[number];
      column.values = Array.from(column.pooled, read);
    }
    this.columns = new Map(document.columns.map((column) => [column.key, column]));
    this.orders = orders;
    this.ids = [];
    this.searched = document.columns.filter((column) => column.values && column.kind !== 'capabilities');
    this.facets = document.layout.facets.map((key) => this.facet(key)).filter((facet) => facet.names.length > 1);
    this.state = { q: '', sort: '', picks: new Map() };
    this.order = Int32Array.from({ length: this.size }, (_, row) => row);
    this.refresh();
  }

  value(key, row) {
    const column = this.columns.get(key);
    if (column.numbers) return column.numbers[row];
    const value = column.values[column.indexes[row]];
    if (!this.columns.has('trail')) return value;
    if (key === 'id') return value || this.id(row);
    return column.kind === 'lines' ? value.map((line) => this.whole(line, row)) : value;
  }

  // A line with what else its row has where the marks are.
  whole(line, row) {
    return line.replace(/[\ufdd0-\ufdd3]/g, (mark) => {
      if (mark === '\ufdd0') return this.text('region', row);
      if (mark === '\ufdd1') return this.text('principal_id', row);
      const trail = this.value('trail', row);
      return mark === '\ufdd2' ? `[${trail.map((id) => `'${id}'`).join(', ')}]` : trail[0];
    });
  }

  // The id of a finding, which is the hash of what it says.
  id(row) {
    this.ids[row] ??= `f${sha256([
      `${words.kinds[this.text('principal_kind', row)]}:${this.text('principal_id', row)}`,
      this.text('verdict', row), this.text('region_kind', row), this.text('environment_id', row),
      this.value('trail', row)[0] ?? '', this.identity(this.columns.get('capabilities').indexes[row], row),
    ].join('\n')).slice(0, 12)}`;
    return this.ids[row];
  }

  identity(at, row) {
    this.identities ??= [];
    this.identities[at] ??= this.value('capabilities', row).map((each) => {
      const { scope, action, resource, condition } = words.capabilities[each];
      return [scope, action, resource, condition].join('\t');
    }).sort().join('\n');
    return this.identities[at];
  }

  text(key, row) {
    const value = this.value(key, row);
    const column = this.columns.get(key);
    if (column.kind === 'flag') return value ? 'yes' : 'no';
    if (column.kind === 'capabilities') return value.map((at) => words.capabilities[at].label).join('\n');
    return Array.isArray(value) ? value.join('\n') : String(value);
  }

  facet(key) {
    const column = this.columns.get(key);
    const names = [];
    const place = new Map();
    const members = column.values.map((value) => [...new Set([].concat(value))].map((name) => {
      if (!place.has(name)) place.set(name, names.push(name) - 1);
      return place.get(name);
    }));
    return { key, column, names, members };
  }

  passing(facet) {
    const picked = this.state.picks.get(facet.key);
    if (!picked || !picked.size) return null;
    return Uint8Array.from(facet.members, (members) => Number(members.some((at) => picked.has(facet.names[at]))));
  }

  // One byte a row: 1 where every word of the search is found in some column. Each distinct text is searched once.
  matching() {
    const terms = this.state.q.toLowerCase().split(/\s+/).filter(Boolean);
    const all = new Uint8Array(this.size).fill(1);
    for (const term of terms) {
      const found = new Uint8Array(this.size);
      const hits = this.pool.hits(term);
      // Columns that go together have one list of combinations: the rows are gone through once for all of them.
      const together = new Map();
      for (const column of this.searched) {
        const values = this.pool.found(column, hits);
        const known = together.get(column.indexes);
        if (known) for (let at = 0; at < values.length; at += 1) known[at] |= values[at];
        else together.set(column.indexes, values);
      }
      const { size } = this;
      for (const [indexes, values] of together) {
        if (!values.includes(1)) continue;
        for (let row = 0; row < size; row += 1) if (values[indexes[row]]) found[row] = 1;
      }
      if (this.columns.has('trail') && IDENTIFIER.test(term)) {
        for (let row = 0; row < this.size; row += 1) if (this.id(row).startsWith(term)) found[row] = 1;
      }
      for (let row = 0; row < all.length; row += 1) all[row] &= found[row];
    }
    return all;
  }

  refresh() {
    const passes = this.facets.map((facet) => this.passing(facet));
    const matches = this.matching();
    const indexes = this.facets.map((facet) => facet.column.indexes);
    const tallies = this.facets.map((facet) => new Uint32Array(facet.members.length));
    const count = passes.length;
    const rows = [];
    for (let place = 0; place < this.size; place += 1) {
      const row = this.order[place];
      if (!matches[row]) continue;
      let missed = 0;
      let last = -1;
      for (let at = 0; at < count; at += 1) {
        if (passes[at] && !passes[at][indexes[at][row]]) { missed += 1; last = at; }
      }
      if (!missed) {
        rows.push(row);
        for (let at = 0; at < count; at += 1) tallies[at][indexes[at][row]] += 1;
      } else if (missed === 1) tallies[last][indexes[last][row]] += 1;
    }
    this.rows = rows;
    this.counts = this.facets.map((facet, at) => {
      const counts = new Uint32Array(facet.names.length);
      facet.members.forEach((members, value) => members.forEach((name) => { counts[name] += tallies[at][value]; }));
      return counts;
    });
  }

  ranks(key) {
    const column = this.columns.get(key);
    if (column.numbers) return column.numbers;
    const words = this.orders[column.kind];
    const sorted = column.values.map((_, at) => at).sort((a, b) => (words
      ? words.indexOf(column.values[a]) - words.indexOf(column.values[b])
      : collator.compare(String(column.values[a]), String(column.values[b]))));
    const rank = new Int32Array(column.values.length);
    sorted.forEach((at, place) => {
      const before = sorted[place - 1];
      rank[at] = place && String(column.values[at]) === String(column.values[before]) ? rank[before] : place;
    });
    return Int32Array.from(column.indexes, (at) => rank[at]);
  }

  sortBy(sort) {
    this.state.sort = sort;
    const key = sort.replace(/^-/, '');
    this.order = Int32Array.from({ length: this.size }, (_, row) => row);
    if (this.columns.has(key)) {
      const ranks = this.ranks(key);
      const sign = sort.startsWith('-') ? -1 : 1;
      this.order.sort((a, b) => sign * (ranks[a] - ranks[b]) || a - b);
    }
  }

  find(key, text) {
    return key ? this.order.find((row) => this.text(key, row) === text) : undefined;
  }

  csv() {
    const columns = [...this.columns.values()].filter((column) => column.label);
    const quote = (text) => `"${(/^\s*[=+\-@＝＋－＠]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
    const line = (cells) => cells.map(quote).join(',');
    const cell = (column, row) => (column.numbers && column.kind !== 'flag'
      ? String(column.numbers[row]) : this.text(column.key, row).replaceAll('\n', ' | '));
    return `\ufeff${[line(columns.map((column) => column.label)),
      ...this.rows.map((row) => line(columns.map((column) => cell(column, row))))].join('\r\n')}\r\n`;
  }
}
