"use strict";

// In its own file, because the content security policy forbids inline scripts.
const element = document.getElementById("swagger");

SwaggerUIBundle({
  url: element.dataset.document,
  domNode: element,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  deepLinking: true,
  displayRequestDuration: true,
  filter: true,
  // Never store the key in the browser, where every script of this origin could read it.
  persistAuthorization: false,
  tryItOutEnabled: true,
  // By default, Swagger UI sends the document to a validator on the internet.
  validatorUrl: null,
});
