#!/bin/sh
# Fetches the locked npm packages and copies the few files the pages use into dist/, with their licences.
# Without Node it leaves the placeholder alone and succeeds: the program then serves plain HTML.
set -eu
cd "$(dirname "$0")"

if ! command -v npm >/dev/null 2>&1; then
	echo "assets: Node non trovato: le pagine saranno in HTML semplice, senza stile (installare Node e ripetere: make assets)"
	exit 0
fi

# The stamp is written last, so an interrupted copy is taken up again.
stamp=$(cat package-lock.json fonts.css copy.sh | cksum)
if [ -f dist/.stamp ] && [ "$(cat dist/.stamp)" = "$stamp" ]; then
	exit 0
fi

npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

find dist -mindepth 1 ! -name README.txt -delete
mkdir -p dist/fonts dist/licences
b=node_modules/bootstrap-italia
install -m 644 $b/dist/css/bootstrap-italia.min.css dist/bootstrap-italia.min.css
# The map is not shipped: without this line browsers would ask for it and log a 404.
sed -i.bak '/sourceMappingURL/s|/\*# sourceMappingURL=.*\*/||' dist/bootstrap-italia.min.css && rm dist/bootstrap-italia.min.css.bak
install -m 644 $b/dist/js/bootstrap-italia.min.js dist/bootstrap-italia.min.js
sed -i.bak '/^\/\/# sourceMappingURL=/d' dist/bootstrap-italia.min.js && rm dist/bootstrap-italia.min.js.bak
install -m 644 $b/dist/svg/sprites.svg dist/sprites.svg
install -m 644 fonts.css dist/fonts.css
t=$b/dist/fonts/Titillium_Web/titillium-web-v10-latin-ext_latin
install -m 644 $t-300.woff2 dist/fonts/titillium-300.woff2
install -m 644 $t-regular.woff2 dist/fonts/titillium-400.woff2
install -m 644 $t-italic.woff2 dist/fonts/titillium-400-italic.woff2
install -m 644 $t-600.woff2 dist/fonts/titillium-600.woff2
install -m 644 $t-700.woff2 dist/fonts/titillium-700.woff2
install -m 644 $b/dist/fonts/Roboto_Mono/roboto-mono-v13-latin-ext_latin-regular.woff2 dist/fonts/roboto-mono-400.woff2
install -m 644 node_modules/htmx.org/dist/htmx.min.js dist/htmx.min.js

install -m 644 $b/LICENSE dist/licences/bootstrap-italia.txt
install -m 644 $b/dist/fonts/Titillium_Web/OFL.txt dist/licences/titillium-web.txt
install -m 644 $b/dist/fonts/Roboto_Mono/LICENSE.txt dist/licences/roboto-mono.txt
install -m 644 node_modules/htmx.org/LICENSE dist/licences/htmx.txt
printf '%s\n' "$stamp" > dist/.stamp
echo "assets: copiati in internal/web/assets/dist ($(du -sk dist | cut -f1) KiB)"
