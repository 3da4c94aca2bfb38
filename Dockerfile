# Builds the dashboard with what only a build needs.
FROM node:22-bookworm-slim AS dashboard
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

FROM node:22-bookworm-slim
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional && npm cache clean --force
COPY . .
COPY --from=dashboard /app/dist ./dist
RUN mkdir -p /var/lib/durasync && chown node:node /var/lib/durasync
USER node
ENV NODE_ENV=production DURASYNC_HOME=/var/lib/durasync
ENTRYPOINT ["node", "src/cli/durasync.js"]
CMD ["worker"]
