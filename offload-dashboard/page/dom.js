// What the sections and the overview do to the document.

export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

// Writes only what changed, so that a selection and a screen reader's place survive.
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Makes `rows` the children of `body`. One that stays keeps the keyboard's focus: it is not moved by the end of a row before it, and where it has to be
// moved, `moveBefore` keeps the focus in the browsers that have it.
export function arrange(body, rows) {
  const wanted = new Set(rows);
  for (const row of [...body.children]) if (!wanted.has(row)) row.remove();
  rows.forEach((row, index) => {
    const place = body.children[index] ?? null;
    if (place === row) return;
    if (row.parentNode === body && body.moveBefore) body.moveBefore(row, place);
    else body.insertBefore(row, place);
  });
}
