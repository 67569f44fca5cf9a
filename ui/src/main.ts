import { mount } from 'svelte';

import App from './App.svelte';
import './app.css';
import { connect } from './platform';
import { mendLanguage } from './platform/language';

mendLanguage(navigator);

const target = document.getElementById('app');
if (!target) throw new Error('index.html has no element #app');

mount(App, { target, props: { platform: connect() } });
