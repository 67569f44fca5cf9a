import { language, message } from './messages.svelte';

/** A whole number with its thousands set apart: `134,515,008`. */
export function count(value: number): string {
  return new Intl.NumberFormat(language(), { maximumFractionDigits: 0 }).format(value);
}

/** A large number in about three digits: `135M`, `1.35亿`. */
export function roughly(value: number): string {
  return new Intl.NumberFormat(language(), { notation: 'compact', maximumSignificantDigits: 3 }).format(value);
}

/** A share from 0 to 1 as per cent with about two digits: `88%`, `3.6%`, `0.36%`. */
export function percent(share: number): string {
  const digits = { maximumSignificantDigits: share >= 0.995 || share < 0.1 ? 2 : 3, maximumFractionDigits: 1 } as const;
  return new Intl.NumberFormat(language(), { style: 'percent', ...digits }).format(share);
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
