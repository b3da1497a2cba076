// Whoever waits sees that something is happening: a bar at the top of the page from the first 400 ms on.

const delay = 400;
let waiting = 0;

export async function whileWorking(promise) {
  waiting += 1;
  const timer = setTimeout(update, delay);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    waiting -= 1;
    if (waiting === 0) update();
  }
}

function update() {
  document.getElementById('progress').hidden = waiting === 0;
}

/** Marks a button as busy and refuses a second press while `work` runs. */
export async function whileBusy(button, work) {
  if (button.getAttribute('aria-busy') === 'true') return undefined;
  button.setAttribute('aria-busy', 'true');
  button.setAttribute('aria-disabled', 'true');
  try {
    return await work();
  } finally {
    button.removeAttribute('aria-busy');
    button.removeAttribute('aria-disabled');
  }
}
