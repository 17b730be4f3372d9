// Gives the window that opened this one what the app hears. It goes to the exact origin of the registered
// redirect URI: a browser delivers it to no page of another. A provider's page may have cut the tie to that window:
// then the link is followed, and the app's own page tells its other windows.
const link = document.querySelector('a[data-message]');

function deliver() {
  if (!window.opener) return false;
  const message = { type: 'authorization_response', response: JSON.parse(link.dataset.message) };
  window.opener.postMessage(message, new URL(link.href).origin);
  window.close();
  return true;
}

link.addEventListener('click', (event) => {
  if (deliver()) event.preventDefault();
});
if ('atOnce' in link.dataset && !deliver()) location.replace(link.href);
