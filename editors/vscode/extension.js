// Start the language server of secure-bucket for the templates of a workspace.
const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = async () => {
  const [command, ...args] = workspace.getConfiguration("secureBucket").get("command");
  const documentSelector = ["yaml", "json", "cloudformation"].map((language) => ({ scheme: "file", language }));
  client = new LanguageClient("secure-bucket", "secure-bucket", { command, args }, { documentSelector });
  await client.start();
};

exports.deactivate = () => client?.stop();
