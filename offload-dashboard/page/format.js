// Figures as people read them: three digits that count, and always a unit. Durations arrive in milliseconds.

const whole = new Intl.NumberFormat("en");
// Between a figure and its unit: narrow, and no place for a line to break.
const GAP = "\u202f";

const digits = (value) => (value >= 99.5 ? value.toFixed(0) : value >= 9.95 ? value.toFixed(1) : value.toFixed(2));

export const count = (value) => whole.format(value);

export const plural = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;

// How many run, of how many that may: what runs elsewhere has no bound here.
export const taken = ({ running, max_threads: most }) => (most > 0 ? `${count(running)} / ${count(most)}` : count(running));

export const rate = (perSecond) =>
  `${perSecond === 0 ? "0" : perSecond >= 1000 ? count(Math.round(perSecond)) : digits(perSecond)}${GAP}/s`;

export const percent = (share) => `${Math.round(share * 100)}${GAP}%`;

export function duration(ms) {
  if (ms === null || ms === undefined) return "–";
  if (ms < 0.9995) return `${digits(ms * 1000).replace(/\.00$/, "")}${GAP}µs`;
  if (ms < 999.5) return `${digits(ms)}${GAP}ms`;
  if (ms < 99_500) return `${digits(ms / 1000)}${GAP}s`;
  return clock(ms / 1000);
}

export function clock(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes < 1) return `${Math.floor(seconds)}${GAP}s`;
  if (minutes < 60) return `${minutes}${GAP}min`;
  return `${Math.floor(minutes / 60)}${GAP}h ${minutes % 60}${GAP}min`;
}
