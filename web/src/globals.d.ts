// Styles are bundled beside the program; importing one gives nothing.
declare module '*.css';
