// SHA-256 of a text, in hexadecimal: a page opened from a file may not ask the browser for it.

const [ROUNDS, START] = (() => {
  const primes = [];
  for (let n = 2; primes.length < 64; n += 1) if (primes.every((prime) => n % prime)) primes.push(n);
  const bits = (root) => ((root % 1) * 2 ** 32) | 0;
  return [Int32Array.from(primes, (n) => bits(Math.cbrt(n))), Int32Array.from(primes.slice(0, 8), (n) => bits(Math.sqrt(n)))];
})();
const utf8 = new TextEncoder();
const schedule = new Int32Array(64);

function sha256(text) {
  const bytes = utf8.encode(text);
  const padded = new Uint8Array(((bytes.length + 72) >> 6) << 6);
  padded.set(bytes);
  padded[bytes.length] = 128;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, bytes.length * 8);
  const sum = Int32Array.from(START);
  for (let block = 0; block < padded.length; block += 64) digest(view, block, sum);
  return Array.from(sum, (word) => (word >>> 0).toString(16).padStart(8, '0')).join('');
}

function digest(view, block, sum) {
  const w = schedule;
  for (let at = 0; at < 16; at += 1) w[at] = view.getInt32(block + 4 * at);
  for (let at = 16; at < 64; at += 1) {
    const a = w[at - 15];
    const b = w[at - 2];
    const low = ((a >>> 7) | (a << 25)) ^ ((a >>> 18) | (a << 14)) ^ (a >>> 3);
    const high = ((b >>> 17) | (b << 15)) ^ ((b >>> 19) | (b << 13)) ^ (b >>> 10);
    w[at] = w[at - 16] + low + w[at - 7] + high;
  }
  let [a, b, c, d, e, f, g, h] = sum;
  for (let at = 0; at < 64; at += 1) {
    const high = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
    const one = (h + high + ((e & f) ^ (~e & g)) + ROUNDS[at] + w[at]) | 0;
    const low = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
    const two = (low + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g; g = f; f = e; e = (d + one) | 0; d = c; c = b; b = a; a = (one + two) | 0;
  }
  [a, b, c, d, e, f, g, h].forEach((word, at) => { sum[at] = (sum[at] + word) | 0; });
}
