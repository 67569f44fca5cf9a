import type { Page } from '@playwright/test';

export const themes = ['light', 'dark'] as const;
export type Theme = (typeof themes)[number];

/** The window as it opens, and as small as it can be made. */
export const sizes = [
  { width: 1280, height: 800 },
  { width: 900, height: 600 },
] as const;
export type Size = (typeof sizes)[number];

/** Shows the page in a theme and size, and waits until it stands still. */
export async function look(page: Page, theme: Theme, size: Size): Promise<void> {
  await page.emulateMedia({ colorScheme: theme });
  await page.setViewportSize(size);
  // Two frames: one in which observers hear of the size, one in which what they changed is drawn.
  await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))));
}

/**
 * What is wider than its room, by how many pixels: the page, what leaves the page, and boxes that one sees (or that cut
 * their content off) and that their content leaves. Text that ends with `…` and what is meant to be scrolled sideways
 * (tables, tabs, code) are as they should be.
 */
export function overflowing(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const found: string[] = [];
    const tell = (element: Element, beyond: number) => {
      const words = (element as HTMLElement).innerText?.trim().replaceAll(/\s+/g, ' ').slice(0, 40);
      found.push(`<${element.localName} class="${element.className}"> by ${Math.round(beyond)}: ${words}`);
    };
    const { scrollWidth, clientWidth } = document.documentElement;
    if (scrollWidth > clientWidth) found.push(`the page by ${scrollWidth - clientWidth}`);
    for (const element of document.querySelectorAll<HTMLElement>('body *')) {
      if (element.closest('.sr-only, [role=table], svg, .uplot') || element.matches('input, textarea')) continue;
      const box = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      const isScrolled = (one: Element) =>
        ['auto', 'scroll'].includes(getComputedStyle(one).overflowX) && one.matches('[tabindex="0"], [role=tablist], pre');
      let scroller: Element | null = element;
      while (scroller && !isScrolled(scroller)) scroller = scroller.parentElement;
      if (scroller) continue;
      if (box.width > 0 && box.right > clientWidth + 1) tell(element, box.right - clientWidth);
      const isSeen = style.borderRightWidth !== '0px' || !/^rgba\(.*, 0\)$/.test(style.backgroundColor);
      const isCut = style.overflowX !== 'visible' && style.textOverflow !== 'ellipsis';
      const beyond = element.scrollWidth - element.clientWidth;
      if (style.display !== 'inline' && element.clientWidth > 0 && (isSeen || isCut) && beyond > 1) tell(element, beyond);
    }
    return found;
  });
}
