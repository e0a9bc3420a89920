/** The first few of a list with commas between, and "…" where there are more. */
export const listed = (items: readonly (string | number)[], most = 8): string =>
  `${items.slice(0, most).join(', ')}${items.length > most ? ', …' : ''}`;
