// The address of what is shown. Every change of it goes through here, so that a jump within a place (to a heading, a note,
// past the navigation) is known from a move to another place.

const here = () => location.pathname + location.search;
let known = here();

export function push(address) {
  history.pushState(null, '', address);
  known = here();
}

export function replace(address) {
  history.replaceState(null, '', address);
  known = here();
}

/** Whether the browser went elsewhere by itself: back or forward, and not only to another part of the same place. */
export function moved() {
  const before = known;
  known = here();
  return known !== before;
}
