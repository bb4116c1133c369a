// The cases, by name.

export const cases = new Map();

let current;

// Names the topic of the cases that follow.
export function topic(name) {
  current = name;
}

// Adds a case. `wants` says what its stack is like, and how many requests the application has to
// see of it: `admits`, none where it is left out.
export function test(name, wants, play) {
  const full = `${current}::${name}`;
  if (cases.has(full)) throw new Error(`two cases are called ${full}`);
  cases.set(full, { name: full, admits: 0, ...wants, play });
}
