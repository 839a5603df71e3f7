# The program, with nothing beside it but Node: no shell, no package manager, no user but one without rights.
#
#   docker build -t pm-parking-events .
#   docker run --read-only -e KAFKA_BROKERS=… -e MONGODB_URI=… pm-parking-events process

FROM node:24.21.0-trixie-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
# What the program needs ships its binaries in packages: no script has anything to do.
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24.21.0-trixie-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY src src
COPY web web
RUN npm run build

FROM gcr.io/distroless/nodejs24-debian13:nonroot
WORKDIR /app
COPY package.json LICENSE CHANGELOG.md ./
COPY schemas schemas
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
# A pod or a container is asked from outside; `serve` listens there only once it has credentials (SERVE_HOST).
ENV NODE_ENV=production HTTP_HOST=0.0.0.0
USER 65532:65532
EXPOSE 9464 8080
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
  CMD ["/nodejs/bin/node", "/app/dist/main.js", "health"]
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/main.js"]
CMD ["process"]
