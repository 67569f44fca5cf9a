import { language, message } from './messages.svelte';

/** A whole number with its thousands set apart: `134,515,008`. */
export function count(value: number): string {
  return new Intl.NumberFormat(language(), { maximumFractionDigits: 0 }).format(value);
}

/** A large number in about three digits: `135M`, `1.35亿`. */
export function roughly(value: number): string {
  return new Intl.NumberFormat(language(), { notation: 'compact', maximumSignificantDigits: 3 }).format(value);
}

/** A share from 0 to 1 as per cent, always with one digit after the point: `73.3%`, `0.3%`; `<0.1%` where that is not nothing. */
export function percent(share: number): string {
  return share > 0 && share < 0.0005 ? `<${percentOf(0.001, 1)}` : percentOf(share, 1);
}

/** A share in whole per cent, for what moves, and for what more digits would say nothing about: `42%`. */
export function wholePercent(share: number): string {
  return percentOf(share, 0);
}

/** A change as per cent with its sign, as precise as `percent`: `+25.0%`. */
export function percentChange(share: number): string {
  return minusSign(percentOf(share, 1, 'exceptZero'));
}

/** A difference of shares in percentage points with its sign, without the unit: `+3.2`. */
export function points(share: number): string {
  const digits = { minimumFractionDigits: 1, maximumFractionDigits: 1, signDisplay: 'exceptZero' } as const;
  return minusSign(new Intl.NumberFormat(language(), digits).format(100 * share));
}

function percentOf(share: number, digits: 0 | 1, signDisplay: 'auto' | 'exceptZero' = 'auto'): string {
  const places = { minimumFractionDigits: digits, maximumFractionDigits: digits } as const;
  return new Intl.NumberFormat(language(), { style: 'percent', ...places, signDisplay }).format(share);
}

/** Intl writes a hyphen. */
function minusSign(text: string): string {
  return text.replace('-', '\u2212');
}

const units = ['B', 'KB', 'MB', 'GB', 'TB'];

/** Bytes in about three digits, in powers of 1000 as disks are sold: `98.4 MB`. */
export function bytes(value: number): string {
  const power = value < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log10(value) / 3));
  const number = value / 1000 ** power;
  const digits = new Intl.NumberFormat(language(), { maximumSignificantDigits: 3 });
  return `${digits.format(number)} ${units[power]}`;
}

/** Seconds in the two largest units that matter: `48 sec`, `4 min 12 sec`, `2 hr 5 min`, `3 days 4 hr`. */
export function duration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const [days, hours, minutes] = [
    Math.floor(whole / 86_400),
    Math.floor(whole / 3600) % 24,
    Math.floor(whole / 60) % 60,
  ];
  if (days > 0) return inUnits([days, 'day'], [hours, 'hour']);
  if (hours > 0) return inUnits([hours, 'hour'], [minutes, 'minute']);
  // Nobody needs the seconds of half an hour.
  if (minutes >= 10) return inUnits([minutes + (whole % 60 >= 30 ? 1 : 0), 'minute']);
  if (minutes > 0) return inUnits([minutes, 'minute'], [whole % 60, 'second']);
  return inUnits([whole, 'second']);
}

function inUnits(...parts: [number, 'day' | 'hour' | 'minute' | 'second'][]): string {
  const told = parts.filter(([value], at) => at === 0 || value > 0);
  const words = told.map(([value, unit]) =>
    new Intl.NumberFormat(language(), { style: 'unit', unit, unitDisplay: 'short' }).format(value),
  );
  return words.join(' ');
}

/** A moment, given in milliseconds since 1970, in the machine's own time: `23 Nov 2026, 09:30`. */
export function moment(milliseconds: number): string {
  return new Intl.DateTimeFormat(language() === 'en' ? 'en-GB' : 'zh-CN', {
    dateStyle: 'medium',
    timeStyle: 'short',
  }).format(milliseconds);
}

/** A moment, given in milliseconds since 1970, as people say it: `just now`, `5 minutes ago`, `yesterday`, a date. */
export function ago(milliseconds: number, now = Date.now()): string {
  const seconds = (milliseconds - now) / 1000;
  const relative = new Intl.RelativeTimeFormat(language(), { numeric: 'auto' });
  if (seconds > -60) return message('just_now');
  if (seconds > -3600) return relative.format(Math.ceil(seconds / 60), 'minute');
  if (seconds > -86_400) return relative.format(Math.ceil(seconds / 3600), 'hour');
  if (seconds > -7 * 86_400) return relative.format(Math.ceil(seconds / 86_400), 'day');
  return new Intl.DateTimeFormat(language() === 'en' ? 'en-GB' : 'zh-CN', { dateStyle: 'medium' }).format(milliseconds);
}

/** What a language (BCP 47) is called in the current language: `Chinese`. */
export function languageName(tag: string): string {
  return new Intl.DisplayNames([language()], { type: 'language' }).of(tag) ?? tag;
}
