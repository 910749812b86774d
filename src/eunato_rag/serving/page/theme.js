// Sets the colours before anything is painted; the switch itself is in app.js.
try {
  const chosen = localStorage.getItem('theme');
  if (chosen === 'light' || chosen === 'dark') document.documentElement.dataset.theme = chosen;
} catch { /* storage is forbidden: the device decides */ }
