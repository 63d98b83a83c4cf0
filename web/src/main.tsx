import { render } from 'preact';
import { App } from './app.tsx';
import { learnOffers } from './api/offers.ts';
import { listenToKeys } from './keys.ts';
import { keepFollowing } from './live/events.ts';
import './styles/tokens.css';
import './styles/shell.css';
import './styles/parts.css';

const page = document.getElementById('page');
if (page) render(<App />, page);
listenToKeys();
keepFollowing();
learnOffers();
