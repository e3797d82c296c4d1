/** A head in whose memory the last events stand: own work, drawn in the colour of the theme. */
export const ICON = `<svg xmlns="http://www.w3.org/2000/svg" width="16" viewBox="0 0 24 24">
<g class="jp-icon3" fill="#616161"><path fill-rule="evenodd" d="M11.5 2C6.8 2 3 5.7 3 10.3c0 2.6 1.2 4.5 2.6 6.1V21.5h8.3v-3h2.4c1.3 0 2.2-1 2.2-2.2v-2.4h1.6c.8 0 1.2-.8.8-1.5l-1.7-2.7C18.8 5.2 15.6 2 11.5 2zm0 2c3.2 0 5.7 2.5 5.7 5.7l.1.6 1 1.6h-1.8v4.4c0 .2-.1.2-.2.2h-4.4v3H7.6v-3.9l-.3-.3C5.9 13.9 5 12.5 5 10.3 5 6.8 7.9 4 11.5 4z"/>
<rect x="7.5" y="7" width="7" height="1.6" rx=".8"/><rect x="7.5" y="9.9" width="4.6" height="1.6" rx=".8"/><rect x="7.5" y="12.8" width="6" height="1.6" rx=".8"/></g></svg>`;
