// What opens with a row: everything the table knows about it, in a drawer.

function lines(values) {
  return values.length
    ? make('ul', { className: 'lines' }, ...values.map((value) => make('li', {}, isolated(value))))
    : make('p', { className: 'nothing', textContent: 'nothing' });
}

function abilities(places) {
  return make('ul', { className: 'lines abilities' }, ...places.map((at) => {
    const ability = words.capabilities[at];
    const exact = `${ability.action} on ${ability.resource}${ability.condition ? ` when ${ability.condition}` : ''}`;
    return make('li', {}, badge('severity', ability.severity), make('span', {},
      isolated(ability.label), make('span', { className: 'beneath mono' }, isolated(exact))));
  }));
}

function reasons(refs) {
  if (!refs.length) return make('p', { className: 'nothing', textContent: words.no_cause });
  return make('ul', { className: 'lines' }, ...refs.map((ref) => {
    const cause = Object.hasOwn(words.causes, ref) ? words.causes[ref] : null;
    return make('li', {}, make('span', { className: 'mono' }, isolated(ref)),
      cause ? make('span', { className: 'beneath' }, isolated(`${cause.text} (${cause.confidence})`)) : null);
  }));
}

// A line to paste into a terminal, with a button that copies it.
function command(text) {
  const copy = make('button', { type: 'button', className: 'copy', textContent: 'Copy' });
  const line = make('code', { className: 'mono', textContent: text });
  copy.addEventListener('click', () => {
    navigator.clipboard?.writeText(text).then(() => { copy.textContent = 'Copied'; }, () => getSelection().selectAllChildren(line));
    if (!navigator.clipboard) getSelection().selectAllChildren(line);
  });
  return make('section', { className: 'part part-command' }, make('h3', { textContent: 'Ask for the whole derivation' }),
    make('p', { className: 'command' }, line, copy));
}

function content(store, key, row) {
  const value = store.value(key, row);
  const { kind } = store.columns.get(key);
  if (key === 'causes') return reasons(value);
  if (kind === 'capabilities') return abilities(value);
  if (Array.isArray(value)) return lines(value);
  return make('p', {}, shown(store, key, row));
}

function part(store, key, row) {
  return make('section', { className: `part part-${key.replaceAll('_', '-')}` },
    make('h3', { textContent: store.columns.get(key).label }), content(store, key, row));
}

function fill(dialog, store, row) {
  const { layout, columns } = store;
  const [first, second] = layout.title;
  const verdict = ['verdict', 'outcome'].find((key) => columns.has(key));
  const badges = make('p', { className: 'badges' });
  if (verdict) badges.append(badge('verdict', store.value(verdict, row)));
  if (columns.has('severity')) badges.append(badge('severity', store.value('severity', row)));
  const has = (key) => columns.get(key).kind === 'number' || store.text(key, row) !== '';
  const long = layout.detail.filter((key) => has(key) && ['lines', 'list', 'capabilities'].includes(columns.get(key).kind));
  const urgent = layout.detail.filter((key) => has(key) && ['reason', 'causes'].includes(key));
  const short = layout.detail.filter((key) => has(key) && !long.includes(key) && !urgent.includes(key));
  for (const key of ['after', 'before']) if (columns.has(key) && !long.includes(key)) long.unshift(key);
  const pair = long.filter((key) => key === 'before' || key === 'after').sort((a, b) => (a < b ? 1 : -1));
  dialog.querySelector('.content').replaceChildren(
    badges,
    make('h2', { id: 'detail-title' }, isolated(store.text(first, row)), make('span', { className: 'beneath' }, isolated(store.text(second, row)))),
    make('div', { className: 'pair' }, ...pair.map((key) => part(store, key, row))),
    ...urgent.map((key) => part(store, key, row)),
    ...long.filter((key) => !pair.includes(key) && !urgent.includes(key)).map((key) => part(store, key, row)),
    ...(layout.command ? [command(`permmigrate explain ${store.text(layout.command, row)} ${words.explain}`)] : []),
    make('div', { className: 'facts' }, ...short.map((key) => part(store, key, row))));
}
