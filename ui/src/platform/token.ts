const kept = 'sanbao.token';

/**
 * The secret that lets this page talk to its server. It arrives behind the `#` of the address, which
 * browsers do not send or log, and is taken out of the address at once.
 */
export function takeToken(): string | null {
  const given = /^#token=([^&]+)$/.exec(location.hash)?.[1];
  if (given) {
    sessionStorage.setItem(kept, decodeURIComponent(given));
    history.replaceState(null, '', location.pathname + location.search);
  }
  return sessionStorage.getItem(kept);
}
