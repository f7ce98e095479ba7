// Numbers and times as people read them.
const whole = new Intl.NumberFormat('en');
export const none = '–';

export const count = number => whole.format(number);
export const plural = (number, noun) => `${count(number)} ${noun}${number === 1 ? '' : 's'}`;

// A share is rounded down: only what is done is 100 %.
export const percent = (done, total) => (total > 0 ? `${Math.floor(100 * done / total)} %` : '0 %');
export const rate = perSecond => (perSecond > 0 ? (perSecond < 10 ? perSecond.toFixed(1) : count(Math.round(perSecond))) : none);

export function measure(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return none;
  const size = Math.abs(value);
  return size !== 0 && (size < 0.001 || size >= 1e5) ? value.toExponential(2) : value.toFixed(size < 1 ? 4 : size < 100 ? 3 : 1);
}

export function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return none;
  const s = Math.ceil(seconds);
  const two = n => String(n).padStart(2, '0');
  if (s >= 86400) return `${Math.floor(s / 86400)} d ${Math.floor(s % 86400 / 3600)} h`;
  return s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s % 3600 / 60))}:${two(s % 60)}` : `${Math.floor(s / 60)}:${two(s % 60)}`;
}

const sameDay = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
const otherDay = new Intl.DateTimeFormat(undefined, { day: '2-digit', month: 'short', hour: '2-digit', minute: '2-digit', hour12: false });
export const time = at => (Date.now() - at < 20 * 3600 * 1000 ? sameDay : otherDay).format(at);

const names = { nll: 'NLL', accuracy: 'Accuracy', rmse: 'RMSE', mae: 'MAE', r2: 'R²', crps: 'CRPS', brier: 'Brier score', ece: 'ECE', auc: 'AUC', f1: 'F1', balancedAccuracy: 'Balanced accuracy' };
export const measureName = name => names[name] ?? name;

// So many digits that two ticks differ.
export function tick(value, distance) {
  const size = Math.abs(value);
  if (size === 0) return '0';
  if (distance > 0 && distance < size && size >= 1e-3 && size < 1e6) return String(Number(value.toFixed(Math.max(0, Math.ceil(1 - Math.log10(distance))))));
  if (size < 1e-3 || size >= 1e6) return value.toExponential(distance > 0 && distance < size ? Math.min(4, Math.ceil(1 + Math.log10(size / distance))) : 0).replace(/\.?0*e\+?/, 'e');
  return String(Number(value.toPrecision(3)));
}
