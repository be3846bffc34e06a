"use strict";

// A file of its own: the pages' policy runs no inline scripts.
const place = document.getElementById("swagger");

SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  // Swagger UI would ask a server on the internet whether the document is valid.
  validatorUrl: null,
});
