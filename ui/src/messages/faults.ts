import type { Fault } from '../contract/Fault';
import { isFault, RpcError } from '../platform/platform';
import { isMessage, language, message, messageIn, type MessageKey } from './messages.svelte';

/** The sentence for a fault in the current language; Rust's English one where there is none. */
export function faultSentence(fault: Fault): string {
  const key = faultKey(fault);
  return key ? message(key, fault.params) : fault.message;
}

/** The language that `faultSentence` answers in, for the `lang` of the element that shows it. */
export function faultLanguage(fault: Fault): string {
  return faultKey(fault) ? language() : 'en';
}

/** The sentence for whatever was thrown. */
export function sentenceOf(error: unknown): string {
  const fault = faultOf(error);
  return fault ? faultSentence(fault) : message('fault_unreachable');
}

/** The fault in whatever was thrown; `null` when Rust could not be asked at all. */
export function faultOf(error: unknown): Fault | null {
  if (error instanceof RpcError) return error.fault;
  return isFault(error) ? error : null;
}

/** The message of a fault, unless it needs a value that the fault did not bring. */
function faultKey(fault: Fault): MessageKey | null {
  const key = `fault_${fault.code.replaceAll('.', '_')}`;
  if (!isMessage(key)) return null;
  const needed = messageIn('en', key).matchAll(/\{(\w+)\}/g);
  return [...needed].every(([, name]) => name! in fault.params) ? key : null;
}
