// Programs line by line, in colours. They are coloured when they are shown: doing it beforehand for all takes minutes.

/**
 * Return the lines of a program, each as [class, text, class, text, …]; the texts joined are the line.
 * The pattern is a global one, of which each alternative is a group that is named as its class.
 */
function highlighted(code, pattern) {
  const lines = [[]];
  const add = (kind, text) => text.split("\n").forEach((part, number) => {
    if (number) lines.push([]);
    if (part) lines.at(-1).push(kind, part);
  });
  let end = 0;
  for (const match of code.matchAll(pattern)) {
    add("", code.slice(end, match.index));
    const [kind] = Object.entries(match.groups).find(([, text]) => text !== undefined);
    add(kind, match[0]);
    end = match.index + match[0].length;
  }
  add("", code.slice(end));
  return lines;
}

/** Make one such line, with its number; in a difference it has a kind (a class) and a sign too. */
function lineView(line, number, kind, sign) {
  const made = el("span", {class: kind || null}, el("i", {"aria-hidden": "true"}, String(number)),
    sign === undefined ? null : el("i", {class: "sign"}, sign));
  for (let place = 0; place < line.length; place += 2) {
    made.append(line[place] ? el("span", {class: line[place]}, line[place + 1]) : line[place + 1]);
  }
  if (!line.length) made.append("\u200b");  // so that an empty line has its height
  return made;
}
