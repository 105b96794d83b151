# One image for the API, the worker and the built-in stage service; the command decides which one runs.
FROM node:20-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/client/package.json packages/client/
COPY packages/console/package.json packages/console/
COPY packages/stage-kit/package.json packages/stage-kit/
COPY packages/literature/package.json packages/literature/
RUN npm ci
COPY . .
# dist contains the compiled workspaces, so remove the links to their sources, which are not in the image.
RUN npm run build && npm prune --omit=dev && rm -r node_modules/@stagecast

FROM node:20-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules ./node_modules
COPY --from=build /app/dist ./dist
# The stage service stores its files here; a new volume inherits the owner of this folder.
RUN install -d -o node -g node /data
USER node
EXPOSE 3001
# Check liveness, not readiness: a short outage of Redis must not restart the container.
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
  CMD ["node", "-e", "fetch('http://127.0.0.1:' + (process.env.PORT || 3001) + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
CMD ["node", "dist/server/api.js"]
