// Gives the window that opened this one what the app hears. It goes to the exact origin of the registered
// redirect URI: a browser delivers it to no page of another. Without such a window the link stays a link.
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
if ('atOnce' in link.dataset) deliver();
